// What option metrics.tcp_detail adds to a flow record.
#pragma once

#include "probe/flow/flow.h"
#include "probe/pipeline/twins.h"
#include "probe/tcp/tracker.h"

namespace probe {

// In this interval or before.
inline bool was_seen(const Flow& f, tcp::Sender sender) {
  return f.sides[sender].packets != 0 || f.tracker->seen(sender);
}

// Of a flow with a tracker that has the detail.
void write_tcp_detail(FlowDraft&, const Flow&);

}  // namespace probe
