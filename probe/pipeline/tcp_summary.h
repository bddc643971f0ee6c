// What option metrics.tcp_detail adds to a flow record.
#pragma once

#include "probe/flow/flow.h"
#include "probe/pipeline/twins.h"

namespace probe {

// Of a flow with a tracker that has the detail.
void write_tcp_detail(FlowDraft&, const Flow&);

}  // namespace probe
