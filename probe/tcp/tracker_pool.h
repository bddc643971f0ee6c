// Trackers and what those of connections in trouble need beyond themselves.
#pragma once

#include <cstddef>
#include <new>

#include "probe/base/pool.h"
#include "probe/tcp/tracker.h"

namespace probe::tcp {

class TrackerPool {
 public:
  explicit TrackerPool(std::size_t trackers, bool detailed = false)
      : detailed_(detailed),
        slots_(trackers, detailed ? sizeof(DetailedTracker) : sizeof(Tracker), PageSize::huge),
        troubles_(2 * trackers, detailed) {}

  // nullptr if there is none left.
  Tracker* make() {
    void* slot = slots_.take();
    if (!slot) return nullptr;
    return detailed_ ? &(new (slot) DetailedTracker(troubles_))->tracker : new (slot) Tracker(troubles_);
  }
  void destroy(Tracker* t) {
    t->~Tracker();
    slots_.give(t);
  }
  void prefetch_next() const { slots_.prefetch_next(); }
  // What Tracker has, of one that was made here.
  void prefetch(const Tracker& t, const Packet& p) const { t.prefetch(p, p.from_high, detailed_); }
  void prefetch_report(const Tracker& t) const { t.prefetch_report(detailed_); }
  std::size_t octets() const { return slots_.octets() + troubles_.octets(); }

 private:
  const bool detailed_;
  SlotPool slots_;
  TroublesPool troubles_;  // one of each sender: never empty
};

}  // namespace probe::tcp
