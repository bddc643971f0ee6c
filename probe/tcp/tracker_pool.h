// Trackers and what those of connections in trouble need beyond themselves.
#pragma once

#include <cstddef>

#include "probe/base/pool.h"
#include "probe/tcp/tracker.h"

namespace probe::tcp {

class TrackerPool {
 public:
  explicit TrackerPool(std::size_t trackers) : trackers_(trackers, PageSize::huge), troubles_(2 * trackers) {}

  // nullptr if there is none left.
  Tracker* make() { return trackers_.make(troubles_); }
  void destroy(Tracker* t) { trackers_.destroy(t); }
  void prefetch_next() const { trackers_.prefetch_next(); }
  std::size_t octets() const { return trackers_.octets() + troubles_.octets(); }

 private:
  Pool<Tracker> trackers_;
  TroublesPool troubles_;  // one of each sender: never empty
};

}  // namespace probe::tcp
