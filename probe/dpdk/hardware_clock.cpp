#include "probe/dpdk/hardware_clock.h"

#include <algorithm>
#include <cmath>

namespace probe::dpdk {
namespace {

constexpr Nanos kWindow = 250 * kMillisecond;
constexpr Nanos kFirstRate = kSecond;              // apart are the two packets that give the first rate
constexpr Nanos kAgree = 20 * kMicrosecond;        // windows that agree are no further apart
constexpr Nanos kFuture = 50 * kMicrosecond;       // no packet was polled before it came
constexpr Nanos kLongest = 2 * kSecond;            // that a packet waits to be polled
constexpr double kSlowest = 1e-3, kFastest = 1e5;  // nanoseconds a tick

constexpr Nanos kNone = INT64_MAX;

}  // namespace

void HardwareClock::start_over(std::uint64_t stamp, Nanos now) {
  *this = {};
  anchor_ = {stamp, now};
}

void HardwareClock::learn_rate(std::uint64_t stamp, Nanos now) {
  if (stamp < anchor_.stamp || now < anchor_.now) return start_over(stamp, now);
  if (now - anchor_.now < kFirstRate) return;
  rate_ = static_cast<double>(now - anchor_.now) / static_cast<double>(stamp - anchor_.stamp);
  if (!(rate_ > kSlowest && rate_ < kFastest)) return start_over(stamp, now);
  anchor_ = {stamp, now};
  best_wait_ = kNone;
  window_end_ = now + kWindow;
}

void HardwareClock::end_window() {
  const bool agrees = ended_ > 0 && std::abs(best_wait_) <= kAgree;
  agreed_ = agrees ? std::min(agreed_ + 1, kEnough) : std::max(agreed_ - 1, 0);
  windows_[ended_ % kWindows] = best_;
  ++ended_;
  const Pair& oldest = windows_[ended_ > kWindows ? ended_ % kWindows : 0];
  if (best_.now - oldest.now >= kWindow / 2 && best_.stamp > oldest.stamp)
    rate_ = static_cast<double>(best_.now - oldest.now) / static_cast<double>(best_.stamp - oldest.stamp);
  anchor_ = best_;
}

Nanos HardwareClock::time_of(std::uint64_t stamp, Nanos now) {
  if (anchor_.now == 0) start_over(stamp, now);
  if (rate_ == 0) {
    learn_rate(stamp, now);
    return now;
  }
  if (now >= window_end_) {
    if (best_wait_ != kNone) end_window();
    best_wait_ = kNone;
    window_end_ = now + kWindow;
  }
  const Nanos time = guess(stamp);
  const Nanos waited = now - time;
  if (waited < -kLongest || waited > kLongest || (trusted() && waited < -kFuture)) {
    start_over(stamp, now);
    return now;
  }
  if (waited < best_wait_) {
    best_wait_ = waited;
    best_ = {stamp, now};
  }
  return trusted() ? std::min(time, now) : now;
}

}  // namespace probe::dpdk
