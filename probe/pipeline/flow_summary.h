// A flow's interval written as a flow record.
#pragma once

#include <string_view>

#include "exporter/record/record.h"
#include "probe/flow/flow.h"

namespace probe {

// `application`: name of the protocol, empty if it was not recognised. `dissection_quality`: marks of its conversation.
// `probability`: share of the traffic that was measured when the flow began.
void write_flow(Record&, const Flow&, EndReason, std::string_view application, std::uint32_t dissection_quality,
                double probability);

}  // namespace probe
