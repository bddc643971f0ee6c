// Fills in what all records of a flow share, and what follows from the times of a transaction.
#pragma once

#include "dissectors/dissector.h"
#include "probe/base/counters.h"
#include "probe/flow/flow.h"
#include "probe/pipeline/conversation.h"
#include "probe/pipeline/outlet.h"

namespace probe {

// What is taken out of records before they leave the probe.
struct Redaction {
  bool literals = false;     // SQL: the digest text stands for the statement, error messages go
  bool url_queries = false;  // what follows '?' in targets and referers
  bool user_names = false;   // database users, users in URIs of SIP and RTSP
};

// One per pipeline; bound to the flow whose packet is being looked at.
class FlowScribe final : public Scribe {
 public:
  FlowScribe(RecordPools& pools, Dissection& dissection, Outlet& outlet, Counters& counters, const Redaction& redaction)
      : pools_(pools), dissection_(dissection), outlet_(outlet), counters_(counters), redaction_(redaction) {}

  void bind(Flow& f) { flow_ = &f; }
  Notebook& notes() override { return dissection_.notes(); }
  Shared& shared() override { return dissection_.shared(); }
  FlowEnds ends() const override;
  // Memory for a flow record; nullptr, and counted, if there is none.
  Record* take_flow() { return take(schema::find_kind("flow")); }
  void commit_flow(Record*);

 private:
  Record* take(std::size_t kind) override;
  void put(Record*, const Exchange&) override;

  RecordPools& pools_;
  Dissection& dissection_;
  Outlet& outlet_;
  Counters& counters_;
  const Redaction redaction_;
  Flow* flow_ = nullptr;
};

// flowId, protocol, addresses and ports: of the initiator first, unless they are `turned`.
void write_identity(Record&, const Flow&, bool turned = false);

}  // namespace probe
