#include "exporter/collector/collector.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <stdexcept>

#include "exporter/collector/ledger.h"
#include "exporter/collector/sockets.h"

namespace probe {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kPoll{50};
constexpr std::chrono::seconds kFlushEvery{1};
constexpr milliseconds kQuiet{100};         // after a stop: nothing more is on its way after so long
constexpr std::chrono::seconds kLinger{5};  // but not longer than this

constexpr std::size_t kHeader = 16;

struct FileClose {
  void operator()(std::FILE* f) const { std::fclose(f); }
};

}  // namespace

struct Collector::Inside : ipfix::RecordReceiver {
  Inside(const CollectorOptions& o, std::vector<Sink*> s)
      : options(o), sinks(std::move(s)), sockets(o.enterprise, *this, ledger) {}

  void record(const Record& r) override {
    for (Sink* s : sinks) s->put(r);
  }
  bool read_message(std::FILE* file, const std::string& path, std::uint64_t& offset, ipfix::Reader& reader, bool& good);

  CollectorOptions options;
  std::vector<Sink*> sinks;
  Ledger ledger;
  Sockets sockets;
  std::vector<std::uint8_t> message;
};

Collector::Collector(const CollectorOptions& options, std::vector<Sink*> sinks)
    : inside_(std::make_unique<Inside>(options, std::move(sinks))) {}

Collector::~Collector() = default;

std::uint16_t Collector::listen(std::string_view url) { return inside_->sockets.listen(parse_url(url)); }

void Collector::run(const std::atomic<bool>& stop) {
  auto heard = Clock::now(), flushed = heard;
  Clock::time_point stopped{};
  for (;;) {
    const bool any = inside_->sockets.receive(kPoll);
    const auto now = Clock::now();
    if (any) heard = now;
    for (Sink* s : inside_->sinks) s->turn();
    if (now - flushed >= kFlushEvery) {
      for (Sink* s : inside_->sinks) s->flush();
      flushed = now;
    }
    const milliseconds idle = inside_->options.stop_when_idle;
    if (idle.count() > 0 && now - heard >= idle) return;
    if (!stop.load(std::memory_order_relaxed)) continue;
    if (stopped == Clock::time_point{}) stopped = now;
    if (now - std::max(heard, stopped) >= kQuiet || now - stopped >= kLinger) return;
  }
}

// One message of a file. False at its end, or where it cannot go on.
bool Collector::Inside::read_message(std::FILE* file, const std::string& path, std::uint64_t& offset,
                                     ipfix::Reader& reader, bool& good) {
  const auto damaged = [&](const char* what) {
    ledger.trouble(path + " is damaged at octet " + std::to_string(offset) + ": " + what);
    good = false;
    return false;
  };
  message.resize(kHeader);
  const std::size_t n = std::fread(message.data(), 1, kHeader, file);
  if (n == 0) return std::ferror(file) != 0 ? damaged("it cannot be read") : false;
  if (n < kHeader) return damaged("it ends within a message");
  Cursor c(message);
  const std::uint16_t version = c.u16(), length = c.u16();
  if (version != 10 || length < kHeader) return damaged("there is no IPFIX message");
  message.resize(length);
  if (std::fread(message.data() + kHeader, 1, length - kHeader, file) < length - kHeader)
    return damaged("it ends within a message");
  if (const char* trouble = reader.read(message)) damaged(trouble);  // the next message may be good
  offset += length;
  return true;
}

bool Collector::read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, FileClose> file(std::fopen(path.c_str(), "rbe"));
  if (!file) throw std::runtime_error("cannot read " + path + ": " + error_text(errno));
  ipfix::Reader reader(inside_->options.enterprise, *inside_);
  bool good = true;
  std::uint64_t offset = 0;
  while (inside_->read_message(file.get(), path, offset, reader, good)) {
  }
  inside_->ledger.add(path, reader);
  return good;
}

CollectorReport Collector::report() const {
  Ledger all = inside_->ledger;
  inside_->sockets.add_open_streams(all);
  return all.report();
}

}  // namespace probe
