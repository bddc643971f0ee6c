// Whether the probe does its work, for those who would start it again or page somebody.
#pragma once

#include <string>
#include <vector>

#include "probe/run/statistics.h"

namespace probe::monitor {

// Sentences that say what is wrong; none: the probe is well. Every thread moves (was seen to within `hang_time`) and
// none has ended. Loss is no illness: the metrics tell it.
std::vector<std::string> ailments_of(const run::Statistics&, Nanos hang_time);

}  // namespace probe::monitor
