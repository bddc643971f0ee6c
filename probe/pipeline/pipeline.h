// The order of the stages, on one screen: packets in, finished records out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "probe/base/counters.h"
#include "probe/flow/expiry_wheel.h"
#include "probe/flow/flow_table.h"
#include "probe/flow/shedding.h"
#include "probe/packet/sampling.h"
#include "probe/pipeline/conversation.h"
#include "probe/pipeline/flow_measures.h"
#include "probe/pipeline/flow_scribe.h"
#include "probe/tcp/tracker_pool.h"

namespace probe {

struct PipelineOptions {
  std::size_t flows = 1u << 18;           // capacity of the flow table
  Nanos idle_timeout = 60 * kSecond;      // a connection without packets for so long is over
  Nanos udp_idle_timeout = 30 * kSecond;  // and a flow of any other protocol than TCP
  Nanos active_timeout = 300 * kSecond;   // a longer flow is reported in intervals
  Nanos tcp_linger = 5 * kSecond;         // after FIN or RST: late packets still belong to the flow
  bool tcp_detail = true;                 // TCP metrics beyond the basics
  bool dissect = true;
  DissectionOptions dissection;
  SamplingOptions sampling;  // what a Sampler ahead does: told in records; nothing is measured that it would falsify
  bool may_shed = false;     // shed() may be called
  Redaction redaction;
  MetricsOptions metrics;
};

// What is to be known of flows that are shed.
SheddingOptions shedding_options(const PipelineOptions&);

// One per worker. Everything that a packet leads to happens in on_burst, from packet time alone: what comes out does
// not depend on the size of bursts or on the number of workers.
class Pipeline {
 public:
  static constexpr std::size_t kMostPackets = 64;  // in a burst

  Pipeline(const PipelineOptions&, RecordPools&, Outlet&, Counters&);

  // `now`: the newest packet time that the source has seen, for this worker or another; ends the flows that are due.
  void on_burst(std::span<const Packet> packets, Nanos now);
  // Ends all flows.
  void finish();
  // From now on; see Shedding.
  void shed(unsigned level) { shedding_.set_level(level); }
  unsigned shed_level() const { return shedding_.level(); }

  const Dissection& dissection() const { return dissection_; }
  std::size_t flows() const { return flows_.size(); }
  // Memory reserved for flows and their TCP metrics; that of dissection() comes on top.
  std::size_t flow_octets() const {
    return flows_.octets() + wheel_.octets() + trackers_.octets() + shedding_.octets() + measures_.octets();
  }

 private:
  FlowIndex touch(const Packet&);
  FlowIndex create(const Packet&);
  void begin(FlowIndex, const Packet&);
  void begin_again(FlowIndex, const Packet&);
  void begin_measures(Flow&, const Packet&);
  double probability(const Flow&) const;
  bool make_room();
  void process(const Packet&, Flow&);
  void dissect(const Packet&, Flow&, unsigned from);
  void leave_conversation(Flow&);
  void on_icmp(const Packet&, Flow&);
  void tell_quoted(const Packet&);
  void learn_from_syn(const Packet&, Flow&, unsigned from);
  void report(Flow&, EndReason);
  void end_interval(Flow&, EndReason);
  void end(Flow&, EndReason);
  void expire(Nanos now);
  void prefetch_end(const Flow&) const;
  Nanos deadline(const Flow&) const;
  Nanos latest_end(const Flow&) const;

  const PipelineOptions options_;
  Counters& counters_;
  FlowTable flows_;
  ExpiryWheel wheel_;
  Shedding shedding_;
  tcp::TrackerPool trackers_;
  FlowMeasures measures_;
  Dissection dissection_;
  FlowScribe scribe_;
  std::uint32_t burst_ = 0;
};

}  // namespace probe
