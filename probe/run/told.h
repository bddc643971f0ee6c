// What a probe tells its collectors of itself.
#pragma once

#include "exporter/run/target.h"
#include "probe/run/statistics.h"

namespace probe::run {

// Of the counters; when packets were ignored has to be remembered by who asks.
ProbeStatistics told_of(const Statistics&);

}  // namespace probe::run
