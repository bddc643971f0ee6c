#include "probe/run/shed_policy.h"

#include <algorithm>

namespace probe::run {

unsigned ShedPolicy::look(double backlog, Nanos steady) {
  const bool shrinks = backlog < backlog_;
  looked_ = steady;
  backlog_ = backlog;
  if (backlog > kLow) calm_since_ = steady;
  if (backlog >= kHigh && !shrinks && level_ < deepest_ && steady - changed_ >= kStep)
    up(steady);
  else if (level_ > 0 && steady - std::max(calm_since_, changed_) >= patience_)
    down(steady);
  return level_;
}

void ShedPolicy::up(Nanos steady) {
  if (went_down_ && steady - changed_ < 2 * patience_) patience_ = std::min(2 * patience_, kMostPatience);
  ++level_;
  went_down_ = false;
  changed_ = steady;
}

void ShedPolicy::down(Nanos steady) {
  if (went_down_) patience_ = kPatience;  // the step before this one was not too early
  --level_;
  went_down_ = true;
  changed_ = steady;
}

}  // namespace probe::run
