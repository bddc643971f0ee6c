// Makes wall-clock time of the stamps of a NIC's clock, whose rate and beginning nobody tells.
#pragma once

#include <cstdint>

#include "probe/base/nanos.h"

namespace probe::dpdk {

// Learns from the packets themselves. Each is polled some time after its stamp was made, never before: of a window's
// packets the one that seems to have waited least tells how the two clocks stand to each other, windows far apart tell
// the rate. Until windows agree, and again whenever a stamp cannot be true, the time is that of the poll.
class HardwareClock {
 public:
  // `now`: wall-clock time after the packet was polled.
  Nanos time_of(std::uint64_t stamp, Nanos now);

  bool trusted() const { return agreed_ >= kEnough; }

 private:
  static constexpr int kWindows = 16;  // remembered
  static constexpr int kEnough = 4;

  struct Pair {
    std::uint64_t stamp = 0;
    Nanos now = 0;
  };

  double since_anchor(std::uint64_t stamp) const {
    return static_cast<double>(static_cast<std::int64_t>(stamp - anchor_.stamp)) * rate_;
  }
  Nanos guess(std::uint64_t stamp) const { return anchor_.now + static_cast<Nanos>(since_anchor(stamp)); }
  void start_over(std::uint64_t stamp, Nanos now);
  void learn_rate(std::uint64_t stamp, Nanos now);
  void end_window();

  Pair anchor_;
  double rate_ = 0;  // nanoseconds a tick; 0: not known yet
  Pair best_;        // of this window: waited least
  Nanos best_wait_ = 0;
  Nanos window_end_ = 0;
  Pair windows_[kWindows];
  unsigned ended_ = 0;  // windows
  int agreed_ = 0;      // of the last windows, in a row
};

}  // namespace probe::dpdk
