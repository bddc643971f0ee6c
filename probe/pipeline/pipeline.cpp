#include "probe/pipeline/pipeline.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "probe/base/prefetch.h"
#include "probe/base/quality.h"
#include "probe/pipeline/counting.h"
#include "probe/pipeline/direction.h"
#include "probe/pipeline/flow_summary.h"
#include "probe/pipeline/traffic_summary.h"

namespace probe {
namespace {

// Packets of a capture may be out of order by this much without a flow being ended too early by another flow's packet.
constexpr Nanos kDisorder = kSecond;

FlowFacts facts_of(const Flow& f) {
  FlowFacts facts;
  facts.client = f.initiator;
  facts.client_certain = f.initiator_certain;
  facts.start_seen = f.key.protocol != ip_protocol::kTcp || f.initial_known != 0;
  for (unsigned s : {0u, 1u}) {
    facts.first_known[s] = f.knows_initial(s);
    if (f.knows_initial(s)) facts.first_sequence[s] = f.initial_sequence[s] + 1;
  }
  return facts;
}

// What a packet of this flow will touch beyond the flow itself.
void prefetch_behind(const Flow& f, const Packet& p, const tcp::TrackerPool& trackers) {
  if (f.tracker) trackers.prefetch(*f.tracker, p);
  if (f.look_inside && f.conversation) f.conversation->prefetch(p);
}

// What its dissector will touch then.
void prefetch_session(const Flow& f, const Packet& p) {
  if (f.look_inside && f.conversation && f.conversation->prefetch_session(p)) prefetch(&f.id);
}

// What the end of a flow touches beyond its tracker.
void prefetch_troubles(const Flow& f) {
  if (f.tracker) f.tracker->prefetch_troubles();
}

}  // namespace

SheddingOptions shedding_options(const PipelineOptions& o) {
  return {o.may_shed ? o.flows : 0, o.sampling.flows, o.idle_timeout, o.udp_idle_timeout, o.active_timeout};
}

Pipeline::Pipeline(const PipelineOptions& options, RecordPools& pools, Outlet& outlet, Counters& counters)
    : options_(options),
      counters_(counters),
      flows_(options.flows),
      wheel_(flows_),
      shedding_(shedding_options(options), counters),
      trackers_(options.flows, options.tcp_detail),
      measures_(options.metrics, options.flows, counters),
      dissection_(options.dissection, counters),
      scribe_(pools, dissection_, outlet, counters, options.redaction) {}

void Pipeline::on_burst(std::span<const Packet> packets, Nanos now) {
  assert(packets.size() <= kMostPackets);
  if (packets.empty()) return expire(now - kDisorder);
  ++burst_;
  wheel_.start(packets.front().time);
  std::array<FlowIndex, kMostPackets> touched;
  for (const Packet& p : packets) flows_.prefetch_bucket(p.hash);
  const bool sized = measures_.looks_at_packets();
  for (const Packet& p : packets) flows_.prefetch_flow(p.hash, options_.dissect || sized || p.payload_length > 0);
  for (std::size_t i = 0; i < packets.size(); ++i) {
    touched[i] = touch(packets[i]);
    if (touched[i] == kNoFlow) continue;
    prefetch_behind(flows_[touched[i]], packets[i], trackers_);
    measures_.prefetch(flows_[touched[i]], packets[i].from_high);
    if (packets[i].ends_tcp()) wheel_.prefetch(touched[i]);
  }
  for (std::size_t i = 0; options_.dissect && i < packets.size(); ++i)
    if (touched[i] != kNoFlow) prefetch_session(flows_[touched[i]], packets[i]);
  std::uint64_t counted = 0;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    if (touched[i] != kNoFlow) {
      process(packets[i], flows_[touched[i]]);
      ++counted;
    } else if (packets[i].part == Part::only_quote) {
      tell_quoted(packets[i]);
    }
  }
  counters_.add(Counter::flow_packets, counted);
  expire(now - kDisorder);
}

// The packet's flow: the one that is there or a new one; one whose time is over is ended here and begun again.
FlowIndex Pipeline::touch(const Packet& p) {
  if (p.part == Part::only_quote) return kNoFlow;
  const FlowIndex i = flows_.find(p.key, p.hash);
  if (i == kNoFlow) return create(p);
  flows_[i].burst = burst_;
  return i;
}

FlowIndex Pipeline::create(const Packet& p) {
  Shedding::Verdict verdict = Shedding::Verdict::whole;
  if (shedding_.active()) verdict = shedding_.judge(p);
  if (verdict == Shedding::Verdict::shed) return kNoFlow;
  FlowIndex i = flows_.insert(p.key, p.hash);
  if (i == kNoFlow && make_room()) i = flows_.insert(p.key, p.hash);
  if (i == kNoFlow) {
    counters_.add(Counter::flow_table_full);
    return kNoFlow;
  }
  begin(i, p);
  if (verdict == Shedding::Verdict::joined) flows_[i].quality |= bit_of(Quality::sampled_out);
  wheel_.add(i, deadline(flows_[i]));
  return i;
}

Nanos Pipeline::deadline(const Flow& f) const {
  if (f.key.protocol != ip_protocol::kTcp) return f.last + options_.udp_idle_timeout;
  return f.last + (f.ended ? options_.tcp_linger : options_.idle_timeout);
}

// The same, or later if its dissector waits for something. Is asked when the deadline has passed.
Nanos Pipeline::latest_end(const Flow& f) const {
  const Nanos usual = deadline(f);
  const bool may_wait = f.key.protocol == ip_protocol::kUdp && f.conversation;
  return may_wait ? std::max(usual, f.conversation->waits_until()) : usual;
}

// What is known of a flow from its first packet. The slot's key is there already. The next flow's memory is fetched
// meanwhile.
void Pipeline::begin(FlowIndex i, const Packet& p) {
  Flow& f = flows_[i];
  Flow fresh;
  fresh.key = f.key;
  fresh.burst = burst_;
  fresh.last = p.time;
  const std::uint32_t sequence = p.is_tcp() ? p.tcp.sequence : 0;
  fresh.id = mix(p.hash, static_cast<std::uint64_t>(p.time) ^ sequence) >> 1;  // fits a signed 64-bit column
  fresh.icmp_type_code = p.icmp_type_code;
  fresh.encapsulation = p.encapsulation;
  fresh.mac_from = p.from_high;
  const Direction d = direction_of(p);
  fresh.initiator = static_cast<std::uint8_t>(d.initiator);
  fresh.initiator_certain = d.certain;
  fresh.halvings = static_cast<std::uint8_t>(shedding_.halvings());
  f = fresh;
  counters_.add(Counter::flow_created);
  begin_measures(f, p);
}

// What is measured of a flow beyond its counts. Of a part of the packets neither sequence numbers nor payload can be
// followed.
void Pipeline::begin_measures(Flow& f, const Packet& p) {
  if (options_.sampling.packets > 1) {
    f.quality |= bit_of(Quality::sampled_out);
    return;
  }
  measures_.begin(f);
  f.look_inside = options_.dissect && (p.is_tcp() || p.key.protocol == ip_protocol::kUdp);
  if (f.look_inside && !shedding_.dissects()) {
    f.look_inside = false;
    f.quality |= bit_of(Quality::not_dissected);
    counters_.add(Counter::shed_dissection);
  }
  if (!p.is_tcp()) return;
  f.tracker = trackers_.make();
  trackers_.prefetch_next();
  if (!f.tracker) counters_.add(Counter::flow_tracker_pool_empty);
}

// A flow with the key of one that has just ended and that was measured: it is not shed, and whether it would have been
// was decided when the first one began, or now if now more are taken.
void Pipeline::begin_again(FlowIndex i, const Packet& p) {
  const std::uint8_t before = flows_[i].halvings;
  begin(i, p);
  flows_[i].halvings = std::min(before, flows_[i].halvings);
}

// Ends the flow that is nearest to its timeout, unless it has a packet in this burst.
bool Pipeline::make_room() {
  const FlowIndex victim = wheel_.oldest([this](FlowIndex i) { return flows_[i].burst == burst_; });
  if (victim == kNoFlow) return false;
  counters_.add(Counter::flow_evicted);
  wheel_.remove(victim);
  // What waits behind a hole is handed on now, as if the hole were not to be filled.
  if (Flow& f = flows_[victim]; f.conversation && f.conversation->has_hole()) f.quality |= bit_of(Quality::stream_gap);
  end(flows_[victim], EndReason::lack_of_resources);
  flows_.erase(victim);
  return true;
}

void Pipeline::process(const Packet& p, Flow& f) {
  const bool idle = p.time > deadline(f) && p.time > latest_end(f);
  if (idle || (f.tracker && f.tracker->starts_another(p, p.from_high))) {
    end(f, idle && !f.ended ? EndReason::idle_timeout : EndReason::end_of_flow);
    begin_again(flows_.index_of(f), p);
  } else if (f.packets() > 0 && p.time - f.interval_start >= options_.active_timeout) {
    end_interval(f, EndReason::active_timeout);
  }
  const unsigned from = p.from_high;
  count(p, f, from);
  if (p.is_tcp() && p.tcp.has(tcp_flag::kSyn)) learn_from_syn(p, f, from);
  const tcp::Verdict verdict = f.tracker ? f.tracker->on_segment(p, from) : tcp::Verdict::fresh;
  take_turns(p, f, from, verdict);
  measures_.on_packet(p, f);
  if (p.is_icmp()) on_icmp(p, f);
  if (verdict == tcp::Verdict::repeated && options_.metrics.path) measures_.on_repeated(p, f, from);
  if (f.look_inside) dissect(p, f, from);
  if (p.ends_tcp() && f.tracker && !f.ended && f.tracker->end_seen()) {
    f.ended = true;
    wheel_.move(flows_.index_of(f), deadline(f));
  }
}

void Pipeline::on_icmp(const Packet& p, Flow& f) {
  if (!options_.metrics.path || options_.sampling.packets > 1) return;
  if (is_icmp_error(p))
    tell_quoted(p);
  else
    measures_.on_echo(p, f);
}

// An ICMP error is about a packet of another flow. One that is over, though still in the table, is not known any more,
// and one that has yet to begin in this burst is not known yet.
void Pipeline::tell_quoted(const Packet& p) {
  if (p.part == Part::without_quote) return;
  Quote q;
  if (!read_quote(p, q)) return counters_.add(Counter::icmp_error_unreadable);
  const FlowIndex i = flows_.find(q.key, q.key.hash());
  if (i == kNoFlow || flows_[i].packets() == 0 || p.time > latest_end(flows_[i]))
    return counters_.add(Counter::icmp_error_flow_unknown);
  measures_.on_error(q, flows_[i]);
}

// A SYN, or the SYN-ACK that answers one, tells who opened the connection, whatever was guessed before.
void Pipeline::learn_from_syn(const Packet& p, Flow& f, unsigned from) {
  if (p.tcp.has(tcp_flag::kRst)) return;
  if (!f.knows_initial(from)) {
    f.initial_known |= static_cast<std::uint8_t>(1u << from);
    f.initial_sequence[from] = p.tcp.sequence;
  }
  if (f.initiator_certain) return;
  f.initiator = static_cast<std::uint8_t>(p.tcp.has(tcp_flag::kAck) ? from ^ 1u : from);
  f.initiator_certain = true;
}

void Pipeline::dissect(const Packet& p, Flow& f, unsigned from) {
  const bool payload = p.payload_length > 0 || (f.conversation && p.ends_tcp());
  if (f.conversation == nullptr) {
    if (!payload) return;
    f.conversation = dissection_.open();
    if (f.conversation == nullptr) {
      f.quality |= bit_of(Quality::not_dissected);
      f.look_inside = false;
      return;
    }
  }
  scribe_.bind(f);
  if (payload)
    f.conversation->on_payload(p, facts_of(f), scribe_);
  else if (p.is_tcp() && p.tcp.has(tcp_flag::kAck))
    f.conversation->on_acknowledged(from ^ 1u, p.tcp.acknowledgement, p.time, scribe_);
  if (const int client = f.conversation->client(); client >= 0 && !f.initiator_certain) {
    f.initiator = static_cast<std::uint8_t>(client);
    f.initiator_certain = true;
  }
  if (f.conversation->dead()) leave_conversation(f);
}

// What the conversation told about the flow stays with it; its memory goes back.
void Pipeline::leave_conversation(Flow& f) {
  f.conversation->finish(scribe_);
  if (f.conversation->protocol()) f.application = static_cast<std::uint8_t>(f.conversation->protocol_index() + 1);
  f.quality |= f.conversation->quality();
  dissection_.close(f.conversation);
  f.conversation = nullptr;
  f.look_inside = false;
}

void Pipeline::report(Flow& f, EndReason why) {
  scribe_.bind(f);
  const Conversation* c = f.conversation;
  const Dissector* protocol = c ? c->protocol() : f.application > 0 ? dissection_.all()[f.application - 1u] : nullptr;
  if (options_.sampling.packets > 1)
    f.turns.count = f.turns.unanswered = 0;  // of a part of the packets it is not known who was next
  measures_.before_report(f);
  if (Record* r = scribe_.take_flow()) {
    write_traffic(*r, f, measures_);
    write_flow(*r, f, why, protocol ? protocol->name : std::string_view(), c ? c->quality() : 0, probability(f));
    scribe_.commit_flow(r);
  }
}

void Pipeline::end_interval(Flow& f, EndReason why) {
  report(f, why);
  f.sides = {};
  f.turns.count = 0;
  f.turns.sum = 0;
  f.turns.unanswered = 0;
  measures_.start_interval(f);
  if (f.tracker) f.tracker->start_interval();
}

double Pipeline::probability(const Flow& f) const {
  const SamplingOptions& s = options_.sampling;
  return std::ldexp(1.0 / (static_cast<double>(s.flows) * static_cast<double>(s.packets)), -int{f.halvings});
}

// The flow is over: what is half done is committed, then the flow itself, and what it held goes back to its pools.
void Pipeline::end(Flow& f, EndReason why) {
  scribe_.bind(f);
  if (f.conversation) leave_conversation(f);
  measures_.finish(f);
  report(f, why);
  measures_.release(f);
  if (f.tracker) trackers_.destroy(f.tracker);
  f.tracker = nullptr;
}

void Pipeline::expire(Nanos now) {
  const auto visit = [this, now](FlowIndex i) {
    Flow& f = flows_[i];
    // Who waits is looked at again before that: what he waits for may have come.
    if (const Nanos last = latest_end(f); last >= now)
      return wheel_.add(i, std::min(last, std::max(deadline(f), now + options_.udp_idle_timeout)));
    end(f, f.ended ? EndReason::end_of_flow : EndReason::idle_timeout);
    flows_.erase(i);
  };
  wheel_.turn(
      now, [this](const Flow& f) { prefetch_end(f); }, prefetch_troubles, visit);
}

void Pipeline::finish() {
  const auto visit = [this](FlowIndex i) {
    Flow& f = flows_[i];
    end(f, f.ended ? EndReason::end_of_flow : EndReason::forced_end);
    flows_.erase(i);
  };
  shedding_.forget();
  wheel_.drain([this](const Flow& f) { prefetch_end(f); }, prefetch_troubles, visit);
}

// What the end of a flow touches beyond the flow itself.
void Pipeline::prefetch_end(const Flow& f) const {
  flows_.prefetch_bucket(f.key.hash());
  if (f.tracker) trackers_.prefetch_report(*f.tracker);
  measures_.prefetch_end(f);
  if (f.look_inside && f.conversation) prefetch_object(f.conversation);
}

}  // namespace probe
