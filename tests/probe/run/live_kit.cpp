#include "tests/probe/run/live_kit.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <thread>

#include "exporter/text/json_lines.h"
#include "probe/io/capture.h"
#include "probe/packet/decoder.h"
#include "probe/run/crew.h"

namespace probe::test {

Frames captured(const std::vector<std::string>& names) {
  Frames all;
  Counters counters;
  for (const std::string& name : names) {
    const auto capture = io::Capture::open(std::string(PCAPS) + "/" + name + ".pcap", counters);
    std::array<Frame, 64> frames;
    Nanos shift = 0;
    bool first = true;
    while (const std::size_t n = capture->read(frames)) {
      if (first && !all.empty()) shift = all.back().time + 120 * kSecond - frames[0].time;
      first = false;
      for (const Frame& f : std::span(frames).first(n))
        all.push_back({{f.octets.begin(), f.octets.end()}, f.wire_length, f.link, f.port, f.time + shift});
    }
  }
  return all;
}

Frames repeated(const Frames& frames, std::size_t times) {
  Frames all;
  for (std::size_t k = 0; k < times; ++k) {
    for (kit::BuiltFrame f : frames) {
      // Both addresses of IPv4 over Ethernet, so that the order of the endpoints stays; sums of headers are not
      // checked.
      constexpr std::size_t kSource = 14 + 12, kDestination = 14 + 16;
      if (f.octets.size() >= 34 && f.octets[12] == 8 && f.octets[13] == 0) {
        for (const std::size_t at : {kSource, kDestination}) {
          f.octets[at] = static_cast<std::uint8_t>(f.octets[at] ^ (k >> 8));
          f.octets[at + 1] = static_cast<std::uint8_t>(f.octets[at + 1] ^ k);
        }
      }
      f.time += static_cast<Nanos>(k) * (frames.back().time - frames.front().time + kMillisecond);
      all.push_back(std::move(f));
    }
  }
  return all;
}

namespace {

// Calls use(frame, packet); the packet is nullptr if it cannot be decoded.
template <class Use>
void each(const Frames& frames, Use&& use) {
  Counters counters;
  Decoder decoder({}, counters);
  for (const kit::BuiltFrame& f : frames) {
    Packet p;
    decoder.new_burst();
    use(f, decoder.decode(f.frame(), p) ? &p : nullptr);
  }
}

}  // namespace

std::vector<Frames> by_flow(const Frames& frames, std::size_t queues) {
  std::vector<Frames> out(queues);
  each(frames, [&](const kit::BuiltFrame& f, const Packet* p) { out[p ? p->hash % queues : 0].push_back(f); });
  return out;
}

std::vector<Frames> by_direction(const Frames& frames) {
  std::vector<Frames> out(2);
  each(frames, [&](const kit::BuiltFrame& f, const Packet* p) { out[p && p->from_high ? 1 : 0].push_back(f); });
  return out;
}

std::size_t FakeQueue::read(std::span<Frame> frames) {
  while (hangs) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  if (throws) throw std::runtime_error("the cable is on fire");
  if (closed) return 0;
  const std::size_t offered = std::min({behaviour_.offered_a_read, frames_.size() - next_.value()});
  const std::size_t n = std::min({offered, behaviour_.ring, frames.size()});
  for (std::size_t i = 0; i < n; ++i) frames[i] = frames_[next_.value() + i].frame();
  const std::size_t gone = behaviour_.ring == ~std::size_t{0} ? n : offered;
  received += n;
  lost += gone - n;
  next_ += gone;
  return n;
}

void FakeQueue::release(std::size_t n) { released += n; }

void FakeQueue::wait(Nanos most) {
  std::this_thread::sleep_for(std::chrono::nanoseconds(std::min(most, kMillisecond)));
}

FakePort::FakePort(std::vector<Frames> queues, const FakeBehaviour& behaviour, std::string name)
    : name_(std::move(name)) {
  for (Frames& f : queues) queues_.push_back(std::make_unique<FakeQueue>(std::move(f), behaviour));
}

live::PortCounts FakePort::counts() {
  live::PortCounts c;
  c.dropped_nic = 0;
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    c.received += queue(i).received;
    *c.dropped_nic += queue(i).lost;
  }
  return c;
}

bool FakePort::empty() {
  bool all = true;
  for (std::size_t i = 0; i < queues_.size(); ++i) all = all && queue(i).empty();
  looked_.store(true, std::memory_order_release);
  return all;
}

void Lines::put(const Record& r) {
  while (stuck) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  if (slow > 0) std::this_thread::sleep_for(std::chrono::nanoseconds(slow.load()));
  std::string line;
  append_json(r, line);
  const std::lock_guard lock(mutex_);
  lines_.push_back(std::move(line));
}

void Lines::turn() {}

std::vector<std::string> Lines::sorted() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out = lines_;
  std::ranges::sort(out);
  return out;
}

std::size_t Lines::size() const {
  const std::lock_guard lock(mutex_);
  return lines_.size();
}

TemporaryFolder::TemporaryFolder() : path_((std::filesystem::temp_directory_path() / "augprobe_test_XXXXXX").string()) {
  if (!mkdtemp(path_.data())) throw std::runtime_error("no temporary folder: " + path_);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

run::Options small_options() {
  run::Options o;
  o.flow_capacity = 4096;
  o.sampling_shed = false;
  o.dissect_sessions = 1024;
  o.dissect_notes = 256;
  o.dissect_stream_memory = 4 << 20;
  o.records_flow = 2048;
  o.records_transaction = 4096;
  o.decode_fragment_memory = 1 << 20;
  return o;
}

std::vector<std::string> replayed(const Frames& frames, const run::Options& o) {
  Lines lines;
  Exporter exporter({&lines});
  run::Crew crew(o, exporter);
  std::vector<Frame> burst;
  for (std::size_t at = 0; at < frames.size(); at += 64) {
    burst.clear();
    for (std::size_t i = at; i < std::min(frames.size(), at + 64); ++i) burst.push_back(frames[i].frame());
    crew.on_frames(burst);
  }
  crew.finish();
  return lines.sorted();
}

}  // namespace probe::test
