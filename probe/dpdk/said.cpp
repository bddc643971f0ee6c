#include "probe/dpdk/said.h"

#include <rte_log.h>

#include <cstdio>
#include <deque>
#include <mutex>

namespace probe::dpdk {
namespace {

constexpr std::size_t kKept = 32;  // lines
constexpr std::size_t kLongest = 400;

struct Log {
  std::mutex mutex;
  LogSink sink;
  std::string unfinished;
  std::deque<std::string> kept;  // warnings and errors
  std::uint64_t lines = 0;       // kept or dropped since the start

  void finish(std::uint32_t level) {
    if (!unfinished.empty() && level <= RTE_LOG_NOTICE) sink(unfinished);
    if (!unfinished.empty() && level <= RTE_LOG_WARNING) {
      kept.push_back(unfinished);
      ++lines;
      if (kept.size() > kKept) kept.pop_front();
    }
    unfinished.clear();
  }
};

Log& log() {
  static Log* const kLog = new Log;  // drivers still log while static objects are destroyed
  return *kLog;
}

ssize_t write_log(void*, const char* text, std::size_t size) {
  // DPDK flushes after every message, in the thread that has written it: its level is that thread's.
  const auto level = static_cast<std::uint32_t>(rte_log_cur_msg_loglevel());
  const std::lock_guard lock(log().mutex);
  for (const char c : std::string_view(text, size)) {
    if (c == '\n')
      log().finish(level);
    else if (log().unfinished.size() < kLongest)
      log().unfinished.push_back(c);
  }
  return static_cast<ssize_t>(size);
}

}  // namespace

void take_over_log(LogSink sink) {
  {
    const std::lock_guard lock(log().mutex);
    log().sink = sink ? std::move(sink) : [](std::string_view line) {
      std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
    };
  }
  static std::FILE* const stream = fopencookie(nullptr, "w", {nullptr, write_log, nullptr, nullptr});
  if (stream) rte_openlog_stream(stream);
}

Said::Said() {
  const std::lock_guard lock(log().mutex);
  from_ = log().lines;
}

std::string Said::text() const {
  const std::lock_guard lock(log().mutex);
  const std::uint64_t gone = log().lines - log().kept.size();
  std::string all;
  for (std::uint64_t i = std::max(from_, gone); i < log().lines; ++i)
    all += (all.empty() ? "" : "; ") + log().kept[i - gone];
  return all;
}

}  // namespace probe::dpdk
