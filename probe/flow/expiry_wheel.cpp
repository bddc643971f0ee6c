#include "probe/flow/expiry_wheel.h"

#include <algorithm>
#include <cassert>

namespace probe {

void ExpiryWheel::add(FlowIndex i, Nanos due) {
  assert(started_);
  // Beyond the horizon: it is asked again when the farthest slot comes up. Before now: in the next slot that comes up.
  const std::int64_t second = std::clamp(due / kSecond + 1, second_, second_ + static_cast<std::int64_t>(kSlots) - 1);
  Flow& f = flows_[i];
  f.wheel_slot = static_cast<std::uint16_t>(static_cast<std::size_t>(second) % kSlots);
  f.wheel_previous = kNoFlow;
  f.wheel_next = heads_[f.wheel_slot];
  if (f.wheel_next != kNoFlow) flows_[f.wheel_next].wheel_previous = i;
  heads_[f.wheel_slot] = i;
}

void ExpiryWheel::remove(FlowIndex i) {
  Flow& f = flows_[i];
  if (f.wheel_slot == kNoSlot) return;
  if (f.wheel_previous != kNoFlow)
    flows_[f.wheel_previous].wheel_next = f.wheel_next;
  else
    heads_[f.wheel_slot] = f.wheel_next;
  if (f.wheel_next != kNoFlow) flows_[f.wheel_next].wheel_previous = f.wheel_previous;
  f.wheel_slot = kNoSlot;
}

}  // namespace probe
