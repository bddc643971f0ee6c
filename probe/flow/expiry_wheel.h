// When flows have to be looked at again, turned by packet time.
#pragma once

#include <array>
#include <utility>

#include "probe/flow/flow_table.h"

namespace probe {

// Slots of one second. A packet does not touch the wheel: when a flow's slot comes up it is asked whether it is really
// due, and put into a later slot if packets have come since.
class ExpiryWheel {
 public:
  explicit ExpiryWheel(FlowTable& flows) : flows_(flows) { heads_.fill(kNoFlow); }

  // Before the first flow is added, and after drain(): the wheel stands at `now`. Later calls do nothing.
  void start(Nanos now) {
    if (!started_) second_ = now / kSecond;
    started_ = true;
  }
  void add(FlowIndex, Nanos due);
  void remove(FlowIndex);
  void move(FlowIndex i, Nanos due) {
    remove(i);
    add(i, due);
  }

  // Turns to `now` and calls visit(flow index) for each flow whose slot has passed. visit must re-add or erase the
  // flow, which has left the wheel already. The flows are cold: prepare(flow) is called for several before the first is
  // visited, to fetch what the visit will touch beyond the flow itself.
  template <class Prepare, class Visit>
  void turn(Nanos now, Prepare&& prepare, Visit&& visit) {
    const std::int64_t target = now / kSecond;
    if (target <= second_) return;
    const std::int64_t steps = std::min<std::int64_t>(target - second_, kSlots);
    for (std::int64_t s = 0; s < steps; ++s) {
      FlowIndex& head = heads_[static_cast<std::size_t>(second_ + s) % kSlots];
      visit_all(std::exchange(head, kNoFlow), prepare, visit);  // what visit re-adds here is for the next turn
    }
    second_ = target;
  }

  // Empties the wheel and calls visit for each flow that was in it; visit erases the flow.
  template <class Prepare, class Visit>
  void drain(Prepare&& prepare, Visit&& visit) {
    for (FlowIndex& head : heads_) visit_all(std::exchange(head, kNoFlow), prepare, visit);
    started_ = false;
  }

  // A flow that is due soonest, as far as the wheel knows: about the least recently seen. kNoFlow if `skip` refuses all
  // that are looked at (a bounded number).
  template <class Skip>
  FlowIndex oldest(Skip&& skip) const {
    int looks = 256;
    for (std::size_t s = 0; s < kSlots; ++s)
      for (FlowIndex i = heads_[static_cast<std::size_t>(second_ + static_cast<std::int64_t>(s)) % kSlots];
           i != kNoFlow; i = flows_[i].wheel_next) {
        if (!skip(i)) return i;
        if (--looks == 0) return kNoFlow;
      }
    return kNoFlow;
  }

 private:
  static constexpr std::size_t kSlots = 512;
  static constexpr std::uint16_t kNoSlot = 0xffff;

  template <class Prepare, class Visit>
  void visit_all(FlowIndex next, Prepare& prepare, Visit& visit) {
    while (next != kNoFlow) {
      std::array<FlowIndex, 16> together;
      std::size_t n = 0;
      for (; next != kNoFlow && n < together.size(); next = flows_[next].wheel_next) {
        together[n++] = next;
        prefetch_object(&flows_[next]);
      }
      for (std::size_t i = 0; i < n; ++i) prepare(flows_[together[i]]);
      for (std::size_t i = 0; i < n; ++i) {
        flows_[together[i]].wheel_slot = kNoSlot;
        visit(together[i]);
      }
    }
  }

  FlowTable& flows_;
  std::array<FlowIndex, kSlots> heads_;
  std::int64_t second_ = 0;  // the first that has not been visited
  bool started_ = false;
};

}  // namespace probe
