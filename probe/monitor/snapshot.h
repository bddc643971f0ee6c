// A moment of the running probe as JSON: what `augprobe top` shows and scripts read.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "probe/monitor/ranks.h"
#include "probe/run/statistics.h"

namespace probe::monitor {

// Rates are of the time since `before`; without it there are none. What is not known is absent.
nlohmann::ordered_json snapshot_of(const run::Statistics& now, const run::Statistics* before, const Ranks&);

}  // namespace probe::monitor
