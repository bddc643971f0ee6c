// When flows have to be looked at again, turned by packet time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "probe/base/pages.h"
#include "probe/base/prefetch.h"
#include "probe/flow/flow_table.h"

namespace probe {

// Slots of one second. A packet does not touch the wheel: when a flow's slot comes up it is asked whether it is really
// due, and put into a later slot if packets have come since. The links between the flows of a slot are kept together
// and not in the flows: following them and unlinking one would wait for a cold flow each time.
class ExpiryWheel {
 public:
  explicit ExpiryWheel(FlowTable&);

  // Before the first flow is added, and after drain(): the wheel stands at `now`. Later calls do nothing.
  void start(Nanos now) {
    if (!started_) second_ = now / kSecond;
    started_ = true;
  }
  // Of a flow that is not in the wheel.
  void add(FlowIndex, Nanos due);
  // Of a flow that is in the wheel.
  void remove(FlowIndex i) {
    const Link gone = links_[i];
    links_[gone.next].previous = gone.previous;
    links_[gone.previous].next = gone.next;
  }
  // What moving it, or following it, will touch of its own.
  void prefetch(FlowIndex i) const { probe::prefetch(&links_[i]); }
  void move(FlowIndex i, Nanos due) {
    remove(i);
    add(i, due);
  }

  // Turns to `now` and calls visit(flow index) for each flow whose slot has passed. visit must re-add or erase the
  // flow, which has left the wheel already. The flows are cold: fetch(flow) is called some flows ahead of visit, to
  // fetch what the visit will touch beyond the flow itself, and later fetch_behind(flow), to fetch what that points to.
  template <class Fetch, class FetchBehind, class Visit>
  void turn(Nanos now, Fetch&& fetch, FetchBehind&& fetch_behind, Visit&& visit) {
    const std::int64_t target = now / kSecond;
    if (target <= second_) return;
    const std::int64_t steps = std::min<std::int64_t>(target - second_, kSlots);
    for (std::int64_t s = 0; s < steps; ++s) visit_all(slot_of(second_ + s), fetch, fetch_behind, visit);
    second_ = target;
  }

  // Empties the wheel and calls visit for each flow that was in it; visit erases the flow.
  template <class Fetch, class FetchBehind, class Visit>
  void drain(Fetch&& fetch, FetchBehind&& fetch_behind, Visit&& visit) {
    for (std::int64_t s = 0; s < kSlots; ++s) visit_all(slot_of(s), fetch, fetch_behind, visit);
    started_ = false;
  }

  // A flow that is due soonest, as far as the wheel knows: about the least recently seen. kNoFlow if `skip` refuses all
  // that are looked at (a bounded number).
  template <class Skip>
  FlowIndex oldest(Skip&& skip) const {
    int looks = 256;
    for (std::int64_t s = 0; s < kSlots; ++s) {
      const FlowIndex slot = slot_of(second_ + s);
      for (FlowIndex i = links_[slot].next; i != slot; i = links_[i].next) {
        if (!skip(i)) return i;
        if (--looks == 0) return kNoFlow;
      }
    }
    return kNoFlow;
  }

  std::size_t octets() const { return pages_.octets(); }

 private:
  static constexpr std::int64_t kSlots = 512;

  // A slot's flows make a ring which begins and ends at the link of the slot itself; those stand behind the flows'.
  struct Link {
    FlowIndex next, previous;
  };
  FlowIndex slot_of(std::int64_t second) const {
    return first_slot_ + static_cast<FlowIndex>(static_cast<std::uint64_t>(second) % kSlots);
  }

  template <class Fetch, class FetchBehind, class Visit>
  void visit_all(FlowIndex slot, Fetch& fetch, FetchBehind& fetch_behind, Visit& visit) {
    constexpr unsigned kAhead = 4;
    const FlowIndex first = links_[slot].next;
    FlowIndex next_flow = first, next_fetch = first, next_behind = first, at = first;
    links_[slot] = {slot, slot};  // what visit re-adds here is for the next turn
    const auto step = [this](FlowIndex& i) {
      i = links_[i].next;
      return i;
    };
    for (unsigned n = 0; at != slot; ++n) {
      if (next_flow != slot) {
        prefetch_object(&flows_[next_flow]);
        prefetch(step(next_flow));
      }
      if (n >= kAhead && next_fetch != slot) {
        fetch(flows_[next_fetch]);
        step(next_fetch);
      }
      if (n >= 2 * kAhead && next_behind != slot) {
        fetch_behind(flows_[next_behind]);
        step(next_behind);
      }
      if (n >= 3 * kAhead) {
        const FlowIndex visited = at;
        step(at);
        visit(visited);
      }
    }
  }

  FlowTable& flows_;
  const FlowIndex first_slot_;
  Pages pages_;
  Link* const links_;
  std::int64_t second_ = 0;  // the first that has not been visited
  bool started_ = false;
};

}  // namespace probe
