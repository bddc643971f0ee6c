#include "probe/flow/expiry_wheel.h"

#include <cassert>

namespace probe {

ExpiryWheel::ExpiryWheel(FlowTable& flows)
    : flows_(flows),
      first_slot_(static_cast<FlowIndex>(flows.capacity())),
      pages_((flows.capacity() + kSlots) * sizeof(Link), PageSize::huge),
      links_(reinterpret_cast<Link*>(pages_.begin())) {
  for (std::int64_t s = 0; s < kSlots; ++s) links_[slot_of(s)] = {slot_of(s), slot_of(s)};
}

void ExpiryWheel::add(FlowIndex i, Nanos due) {
  assert(started_);
  // Beyond the horizon: it is asked again when the farthest slot comes up. Before now: in the next slot that comes up.
  const FlowIndex slot = slot_of(std::clamp(due / kSecond + 1, second_, second_ + kSlots - 1));
  links_[i] = {links_[slot].next, slot};
  links_[links_[slot].next].previous = i;
  links_[slot].next = i;
}

}  // namespace probe
