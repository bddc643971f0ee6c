#include "probe/run/shed_policy.h"

#include <algorithm>
#include <cassert>

namespace probe::run {

ShedPolicy::ShedPolicy(unsigned deepest) : deepest_(deepest) {
  assert(deepest < kLevels);
  patience_.fill(kPatience);
}

unsigned ShedPolicy::look(double backlog, Nanos steady) {
  const bool shrinks = backlog < backlog_;
  looked_ = steady;
  backlog_ = backlog;
  if (backlog > kLow) calm_since_ = steady;
  if (backlog >= kHigh && !shrinks && level_ < deepest_ && steady - changed_ >= kStep)
    up(steady);
  else if (level_ > 0 && steady - std::max(calm_since_, changed_) >= patience_[level_ - 1])
    down(steady);
  return level_;
}

void ShedPolicy::up(Nanos steady) {
  Nanos& patience = patience_[level_];
  if (went_down_ && steady - changed_ < 2 * patience) patience = std::min(2 * patience, kMostPatience);
  ++level_;
  went_down_ = false;
  changed_ = steady;
}

void ShedPolicy::down(Nanos steady) {
  patience_[level_] = kPatience;  // it was good for long enough
  --level_;
  went_down_ = true;
  changed_ = steady;
}

}  // namespace probe::run
