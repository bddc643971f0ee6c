// Statistics as Prometheus has them: families of metrics with their help, from TABLE 3 and what else the probe tells.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "probe/run/statistics.h"

namespace probe::monitor {

// What is not known is absent, and never 0: drops that a driver cannot tell, the processor time of a thread that ended.
std::vector<prometheus::MetricFamily> metrics_of(const run::Statistics&);

}  // namespace probe::monitor
