// What was measured of a flow by option, written into its record.
#pragma once

#include "exporter/record/record.h"
#include "probe/flow/flow.h"
#include "probe/pipeline/flow_measures.h"

namespace probe {

void write_traffic(Record&, const Flow&, const FlowMeasures&);

}  // namespace probe
