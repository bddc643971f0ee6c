// What is measured of flows by option: the memory that holds it, and who is told of which packet.
#pragma once

#include <array>
#include <cstddef>

#include "probe/base/counters.h"
#include "probe/base/pool.h"
#include "probe/base/prefetch.h"
#include "probe/flow/flow.h"
#include "probe/packet/quote.h"
#include "probe/tcp/tracker.h"
#include "probe/traffic/entropy.h"
#include "probe/traffic/packet_measures.h"
#include "probe/traffic/path.h"

namespace probe {

struct MetricsOptions {
  bool path = true;
  bool packets = false;
  bool entropy = false;
};

// One per pipeline. Everything that a flow holds here it gives back with release().
class FlowMeasures {
 public:
  FlowMeasures(const MetricsOptions&, std::size_t flows, Counters&);

  const MetricsOptions& options() const { return options_; }

  // Packets are looked at: without that a flow is not even asked, whose second half may not be in the cache.
  bool looks_at_packets() const { return looks_; }

  void begin(Flow& f) {
    if (looks_) begin_packets(f);
  }
  void on_packet(const Packet& p, Flow& f) {
    if (looks_ && f.packet_measures != kNoSlot) add(p, *packets_.at(f.packet_measures));
  }
  // A packet of an ICMP flow that may be an echo request or a reply.
  void on_echo(const Packet&, Flow&);
  // An ICMP error about a packet of this flow.
  void on_error(const Quote&, Flow&);
  // A large TCP segment passed again.
  void on_repeated(const Packet&, Flow&, unsigned from);

  void start_interval(Flow&);
  // What is told only then is decided.
  void before_report(Flow&);
  // Before the last report: what was waited for does not come any more.
  void finish(Flow&);
  void release(Flow&);

  // What a packet of this sender will touch; what the end of the flow will.
  void prefetch(const Flow& f, unsigned from) const {
    if (looks_ && f.packet_measures != kNoSlot) prefetch_object(&packets_.at(f.packet_measures)->sides[from]);
  }
  void prefetch_end(const Flow& f) const {
    if (looks_ && f.packet_measures != kNoSlot) prefetch_object(packets_.at(f.packet_measures));
  }
  // What there is of a flow; null: nothing.
  const traffic::PathMeasures* path(const Flow& f) const { return f.path == kNoSlot ? nullptr : path_.at(f.path); }
  const traffic::PacketMeasures* packets(const Flow& f) const {
    return f.packet_measures == kNoSlot ? nullptr : packets_.at(f.packet_measures);
  }
  const traffic::PayloadOctets* entropy(const Flow& f) const {
    const traffic::PacketMeasures* m = packets(f);
    return m && m->entropy != kNoSlot ? entropy_.at(m->entropy) : nullptr;
  }

  std::size_t octets() const { return path_.octets() + packets_.octets() + entropy_.octets(); }

 private:
  void begin_packets(Flow&);
  void add(const Packet& p, traffic::PacketMeasures& m) {
    m.add(p);
    // Nothing is touched for payload behind the first.
    const traffic::SideMeasures& side = m.sides[p.from_high];
    if (options_.entropy && side.payload() - p.payload_length < traffic::PayloadOctets::kMost) add_octets(p, m);
  }
  void add_octets(const Packet& p, traffic::PacketMeasures& m) {
    if (m.entropy != kNoSlot && !p.payload.empty()) entropy_.at(m.entropy)->add(p.from_high, p.payload);
  }
  traffic::PathMeasures* open_path(Flow&);
  void judge(const Flow&, traffic::PathMeasures&, unsigned from) const;

  const MetricsOptions options_;
  const bool looks_;
  Counters& counters_;
  Pool<traffic::PathMeasures> path_;
  Pool<traffic::PacketMeasures> packets_;
  Pool<traffic::PayloadOctets> entropy_;
};

}  // namespace probe
