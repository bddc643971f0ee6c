#include "probe/run/statistics.h"

namespace probe::run {

Counters Statistics::counters() const {
  Counters all = dispatcher_counters;
  all += exporter_counters;
  for (const WorkerStatistics& w : workers) all += w.counters;
  return all;
}

std::vector<DissectorCounters> Statistics::dissection() const {
  std::vector<DissectorCounters> all(dissectors().size());
  for (const WorkerStatistics& w : workers)
    for (std::size_t i = 0; i < all.size() && i < w.dissection.size(); ++i) all[i] += w.dissection[i];
  return all;
}

}  // namespace probe::run
