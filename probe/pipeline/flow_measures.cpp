#include "probe/pipeline/flow_measures.h"

namespace probe {

FlowMeasures::FlowMeasures(const MetricsOptions& options, std::size_t flows, Counters& counters)
    : options_(options),
      looks_(options.packets || options.entropy),
      counters_(counters),
      path_(options.path ? flows : 0),
      packets_(looks_ ? flows : 0, PageSize::huge),
      entropy_(options.entropy ? flows : 0, PageSize::huge) {}

void FlowMeasures::begin_packets(Flow& f) {
  traffic::PacketMeasures* const m = packets_.make(kNoSlot);
  packets_.prefetch_next();
  if (!m) return counters_.add(Counter::flow_packets_pool_empty);
  f.packet_measures = packets_.number_of(m);
  if (!options_.entropy) return;
  if (const traffic::PayloadOctets* const octets = entropy_.make())
    m->entropy = entropy_.number_of(octets);
  else
    counters_.add(Counter::flow_entropy_pool_empty);
}

traffic::PathMeasures* FlowMeasures::open_path(Flow& f) {
  if (f.path != kNoSlot) return path_.at(f.path);
  traffic::PathMeasures* const m = path_.make();
  if (!m) {
    counters_.add(Counter::flow_path_pool_empty);
    return nullptr;
  }
  f.path = path_.number_of(m);
  return m;
}

void FlowMeasures::on_echo(const Packet& p, Flow& f) {
  const unsigned type = p.icmp_type_code >> 8;
  const bool version6 = p.key.protocol == ip_protocol::kIcmpV6;
  const bool request = type == (version6 ? 128u : 8u), reply = type == (version6 ? 129u : 0u);
  if (request) {
    if (traffic::PathMeasures* m = open_path(f)) m->echoes[p.from_high].on_request(p.icmp_rest, p.time);
  } else if (reply && f.path != kNoSlot) {
    path_.at(f.path)->echoes[!p.from_high].on_reply(p.icmp_rest, p.time);
  }
}

void FlowMeasures::on_error(const Quote& q, Flow& f) {
  if (traffic::PathMeasures* m = open_path(f)) m->errors[q.from_high].add(q);
}

void FlowMeasures::on_repeated(const Packet& p, Flow& f, unsigned from) {
  // A smaller segment says something only of one that was large before.
  if (f.path == kNoSlot && !traffic::BlackHole::concerns(p)) return;
  if (traffic::PathMeasures* m = open_path(f)) {
    m->black_holes[from].on_repeated(p);
    judge(f, *m, from);
  }
}

void FlowMeasures::judge(const Flow& f, traffic::PathMeasures& m, unsigned from) const {
  const unsigned receiver = from ^ 1u;
  const Nanos heard = f.sides[receiver].packets > 0 ? f.sides[receiver].last : 0;
  m.black_holes[from].judge(f.tracker->acknowledged_known(from), f.tracker->acknowledged(from), heard);
}

void FlowMeasures::start_interval(Flow& f) {
  if (f.path != kNoSlot) path_.at(f.path)->start_interval();
  if (f.packet_measures == kNoSlot) return;
  traffic::PacketMeasures& m = *packets_.at(f.packet_measures);
  m.start_interval();
  if (m.entropy != kNoSlot) entropy_.at(m.entropy)->start_interval();
}

void FlowMeasures::before_report(Flow& f) {
  if (f.path == kNoSlot || !f.tracker) return;
  for (const unsigned from : {0u, 1u}) judge(f, *path_.at(f.path), from);
}

void FlowMeasures::finish(Flow& f) {
  if (!f.tracker) f.turns.give_up();
  if (f.path == kNoSlot) return;
  for (traffic::Echoes& e : path_.at(f.path)->echoes) e.finish();
}

void FlowMeasures::release(Flow& f) {
  if (f.path != kNoSlot) path_.destroy(path_.at(f.path));
  f.path = kNoSlot;
  if (f.packet_measures == kNoSlot) return;
  traffic::PacketMeasures* const m = packets_.at(f.packet_measures);
  if (m->entropy != kNoSlot) entropy_.destroy(entropy_.at(m->entropy));
  packets_.destroy(m);
  f.packet_measures = kNoSlot;
}

}  // namespace probe
