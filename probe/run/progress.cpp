#include "probe/run/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace probe::run {

using namespace std::chrono_literals;

Progress::Progress(bool wanted)
    : wanted_(wanted && isatty(STDERR_FILENO) != 0), start_(std::chrono::steady_clock::now()), next_(start_ + 300ms) {}

void Progress::show(const std::string& what, std::uint64_t position, std::uint64_t size, std::uint64_t packets) {
  if (!wanted_) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return;
  next_ = now + 200ms;
  shown_ = true;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const std::string share =
      size > 0 ? fmt::format("{:3.0f} %", 100.0 * static_cast<double>(position) / static_cast<double>(size))
               : fmt::format("{} MB", position / 1'000'000);
  fmt::print(stderr, "\r\033[K{}  {}  {:.1f} M packets, {:.2f} M/s", what, share, static_cast<double>(packets) / 1e6,
             static_cast<double>(packets) / seconds / 1e6);
  std::fflush(stderr);
}

void Progress::clear() {
  if (shown_) fmt::print(stderr, "\r\033[K");
  shown_ = false;
}

}  // namespace probe::run
