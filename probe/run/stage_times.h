// Where the time of a thread goes. A thread that polls is always busy for the kernel; this tells how much of it is
// work.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "probe/base/count.h"
#include "probe/run/clock.h"

namespace probe::run {

enum class Stage : std::uint8_t {
  idle,      // looked for packets in vain
  receive,   // reading frames of a port, or a batch of the dispatcher
  decode,    // filter, headers, tunnels, fragments, sampling
  measure,   // flows, metrics, dissection, records
  dispatch,  // copying packets into the batches of their workers
};
inline constexpr std::array<std::string_view, 5> kStageNames = {"idle", "receive", "decode", "measure", "dispatch"};
using StageNanos = std::array<Nanos, kStageNames.size()>;

inline Nanos busy(const StageNanos& n) {
  Nanos sum = 0;
  for (std::size_t i = 1; i < n.size(); ++i) sum += n[i];
  return sum;
}

// An estimate from one turn of the thread's loop in kEvery, so that the clock costs next to nothing. Written by one
// thread; any may read. Time that the thread sleeps is in no stage.
class StageTimes {
 public:
  static constexpr std::uint64_t kEvery = 64;

  void begin_turn(std::uint64_t nth) {
    looking_ = nth % kEvery == 0;
    if (looking_) since_ = steady_now();
  }
  // What was done since the turn began or since the last call.
  void did(Stage s) {
    if (!looking_) return;
    const Nanos now = steady_now();
    nanos_[static_cast<std::size_t>(s)] += static_cast<std::uint64_t>(now - since_) * kEvery;
    since_ = now;
  }

  StageNanos nanos() const {
    StageNanos n;
    for (std::size_t i = 0; i < n.size(); ++i) n[i] = static_cast<Nanos>(nanos_[i].value());
    return n;
  }

 private:
  std::array<Count, kStageNames.size()> nanos_;
  Nanos since_ = 0;
  bool looking_ = false;
};

}  // namespace probe::run
