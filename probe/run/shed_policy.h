// When a worker that falls behind leaves out more, and when less.
#pragma once

#include <array>

#include "probe/base/nanos.h"

namespace probe::run {

// Levels are those of Shedding: 0 is everything, each step costs less than the one before.
class ShedPolicy {
 public:
  // `deepest`: the highest level; 0: nothing is ever left out.
  explicit ShedPolicy(unsigned deepest);

  bool is_to_look(Nanos steady) const { return steady - looked_ >= kLook; }
  // `backlog`: the share of its room that is taken by what waits. The level from now on.
  unsigned look(double backlog, Nanos steady);

 private:
  static constexpr Nanos kLook = 10 * kMillisecond;
  // A step up takes a while to show: what is in the table stays, and what waits is there already.
  static constexpr Nanos kStep = 50 * kMillisecond;
  static constexpr double kHigh = 0.5, kLow = 0.1;
  // A step down is tried after so long without a backlog, and to a level that was too little after twice as long as
  // the time before.
  static constexpr Nanos kPatience = kSecond, kMostPatience = 32 * kSecond;
  static constexpr unsigned kLevels = 32;

  void up(Nanos steady);
  void down(Nanos steady);

  const unsigned deepest_;
  unsigned level_ = 0;
  double backlog_ = 0;  // at the last look
  Nanos looked_ = 0;
  Nanos changed_ = 0;
  Nanos calm_since_ = 0;
  bool went_down_ = false;               // the last step
  std::array<Nanos, kLevels> patience_;  // before a step down to each level
};

}  // namespace probe::run
