#include "probe/monitor/health.h"

#include <fmt/format.h>

namespace probe::monitor {

std::vector<std::string> ailments_of(const run::Statistics& s, Nanos hang_time) {
  std::vector<std::string> out;
  const auto look_at = [&](const run::ThreadStatistics& t) {
    if (!t.cpu_time)
      out.push_back(fmt::format("{} has ended", t.name));
    else if (t.silent > hang_time)
      out.push_back(fmt::format("{} has not moved for {} s", t.name, t.silent / kSecond));
  };
  for (const run::WorkerStatistics& w : s.workers) look_at(w.thread);
  if (s.dispatcher) look_at(*s.dispatcher);
  look_at(s.exporter);
  return out;
}

}  // namespace probe::monitor
