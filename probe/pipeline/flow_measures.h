// What is measured of flows by option: the memory that holds it, and who is told of which packet.
#pragma once

#include <array>
#include <cstddef>

#include "probe/base/counters.h"
#include "probe/base/pool.h"
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

  void begin(Flow& f) {
    if (options_.packets || options_.entropy) begin_packets(f);
  }
  void on_packet(const Packet& p, Flow& f) {
    if (f.packet_measures != kNoSlot) add(p, *packets_.at(f.packet_measures));
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

  void prefetch(const Flow& f) const {
    if (f.packet_measures == kNoSlot) return;
    prefetch_octets(packets_.at(f.packet_measures), sizeof(traffic::PacketMeasures));
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
    if (m.entropy != kNoSlot && !p.payload.empty()) entropy_.at(m.entropy)->add(p.from_high, p.payload);
  }
  traffic::PathMeasures* open_path(Flow&);
  void judge(const Flow&, traffic::PathMeasures&, unsigned from) const;

  const MetricsOptions options_;
  Counters& counters_;
  Pool<traffic::PathMeasures> path_;
  Pool<traffic::PacketMeasures> packets_;
  Pool<traffic::PayloadOctets> entropy_;
};

}  // namespace probe
