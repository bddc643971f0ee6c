// Trackers and what those of connections in trouble need beyond themselves.
#pragma once

#include <cstddef>
#include <new>

#include "probe/base/pool.h"
#include "probe/tcp/tracker.h"

namespace probe::tcp {

class TrackerPool {
 public:
  // `detail`: each tracker has what goes beyond the basics right behind it, so that both are found by one address.
  explicit TrackerPool(std::size_t trackers, bool detail = false)
      : detail_(detail),
        slots_(trackers, sizeof(Tracker) + (detail ? 2 * sizeof(Sending) : 0), PageSize::huge),
        troubles_(2 * trackers, detail) {}

  // nullptr if there is none left.
  Tracker* make() {
    void* slot = slots_.take();
    if (!slot) return nullptr;
    if (!detail_) return new (slot) Tracker(troubles_);
    auto* const sending = reinterpret_cast<Sending*>(static_cast<std::byte*>(slot) + sizeof(Tracker));
    for (Sender s : {0u, 1u}) new (sending + s) Sending;
    return new (slot) Tracker(troubles_, sending);
  }
  void destroy(Tracker* t) {
    t->~Tracker();
    slots_.give(t);
  }
  void prefetch_next() const { slots_.prefetch_next(); }
  // What Tracker has, of one that was made here.
  void prefetch(const Tracker& t, const Packet& p) const {
    t.prefetch(p, p.from_high, behind(t));
  }
  void prefetch_report(const Tracker& t) const { t.prefetch_report(behind(t)); }
  std::size_t octets() const { return slots_.octets() + troubles_.octets(); }

 private:
  const Sending* behind(const Tracker& t) const { return detail_ ? reinterpret_cast<const Sending*>(&t + 1) : nullptr; }

  bool detail_;
  SlotPool slots_;
  TroublesPool troubles_;  // one of each sender: never empty
};

}  // namespace probe::tcp
