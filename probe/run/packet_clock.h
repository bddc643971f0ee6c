// What time it is for packets while none come.
#pragma once

#include <algorithm>

#include "probe/base/nanos.h"

namespace probe::run {

// Goes on from the newest packet at the pace of a clock that is never set: whatever clock stamps the packets, flows end
// when their time has come.
class PacketClock {
 public:
  // Packets have come, the newest of this time. True if their clock was set back: what was measured before cannot be
  // continued. A few stragglers do not mean that.
  bool advance(Nanos newest, Nanos steady) {
    if (!started_ || newest >= newest_) {
      started_ = true;
      newest_ = newest;
      at_ = steady;
      return false;
    }
    if (newest_ - newest < kSetBack || steady - at_ < kSecond) return false;
    newest_ = newest;
    at_ = steady;
    return true;
  }

  bool started() const { return started_; }
  Nanos newest() const { return newest_; }
  Nanos now(Nanos steady) const { return newest_ + std::max<Nanos>(steady - at_, 0); }

 private:
  static constexpr Nanos kSetBack = 5 * kSecond;
  bool started_ = false;
  Nanos newest_ = 0;
  Nanos at_ = 0;
};

}  // namespace probe::run
