#include "probe/pipeline/flow_summary.h"

#include <algorithm>
#include <array>

#include "probe/base/quality.h"
#include "probe/pipeline/flow_scribe.h"
#include "probe/pipeline/tcp_summary.h"
#include "probe/pipeline/twins.h"
#include "probe/tcp/tracker.h"

namespace probe {
namespace {

std::uint32_t microseconds(Nanos n) {
  return static_cast<std::uint32_t>(std::clamp<Nanos>(n / kMicrosecond, 0, 0xffffffff));
}

void write_counts(FlowDraft& r, const Flow& f) {
  const SideCounts& forward = f.sides[f.initiator];
  const SideCounts& reverse = f.sides[f.initiator ^ 1u];
  const Nanos start = f.interval_start;
  const Nanos end = forward.packets == 0   ? reverse.last
                    : reverse.packets == 0 ? forward.last
                                           : std::max(forward.last, reverse.last);
  r.set<"flowStartMilliseconds">(start);
  r.set<"flowEndMilliseconds">(end);
  r.set<"flowStartMicroseconds">(start);
  r.set<"flowEndMicroseconds">(end);
  r.set<"octetDeltaCount">(forward.octets);
  r.set<"packetDeltaCount">(forward.packets);
  r.set<"reverseOctetDeltaCount">(reverse.octets);
  r.set<"reversePacketDeltaCount">(reverse.packets);
  if (forward.packets > 0) {
    r.set<"ipClassOfService">(f.traffic_class[f.initiator]);
    r.set<"minimumTTL">(f.headers.ttl_min[f.initiator]);
  }
  if (reverse.packets > 0) {
    r.set<"reverseMinimumTTL">(f.headers.ttl_min[f.initiator ^ 1u]);
    r.set<"reverseFlowStartMilliseconds">(f.first[f.initiator ^ 1u]);
    r.set<"reverseFlowEndMilliseconds">(reverse.last);
  }
}

void write_encapsulation(FlowDraft& r, const Flow& f) {
  const Encapsulation& e = f.encapsulation;
  if (e.vlan_count > 0) r.set<"vlanId">(static_cast<std::uint16_t>(e.vlan[0] & 0x0fff));
  if (e.vlan_count > 1) r.set<"dot1qCustomerVlanId">(static_cast<std::uint16_t>(e.vlan[1] & 0x0fff));
  if (e.mpls_count > 0) {
    const std::array<std::uint8_t, 3> label = {static_cast<std::uint8_t>(e.mpls_top >> 16),
                                               static_cast<std::uint8_t>(e.mpls_top >> 8),
                                               static_cast<std::uint8_t>(e.mpls_top)};
    r.set<"mplsTopLabelStackSection">(label);
  }
  static constexpr std::array<std::string_view, 7> kTunnels = {"",       "gre",   "erspan",  "vxlan",
                                                               "geneve", "gtp-u", "ip-in-ip"};
  if (e.tunnel != Tunnel::none) r.set<"tunnelType">(kTunnels[static_cast<std::size_t>(e.tunnel)]);
  if (e.tunnel != Tunnel::none && e.has_tunnel_id) r.set<"tunnelIdentifier">(e.tunnel_id);
  if (!e.has_mac || e.mpls_count > 0 || e.tunnel != Tunnel::none) return;
  const bool forward = f.mac_from == f.initiator;
  r.set<"sourceMacAddress">(forward ? e.source_mac : e.destination_mac);
  r.set<"destinationMacAddress">(forward ? e.destination_mac : e.source_mac);
}

// The network between the probe and one of the endpoints.
template <Peer Whose>
void write_rtt(FlowDraft& r, const tcp::Tracker& t, tcp::Sender endpoint) {
  if (const Nanos rtt = t.handshake_rtt(endpoint); rtt >= 0)
    set_of<"tcpServerHandshakeRttMicroseconds", Whose>(r, microseconds(rtt));
  const tcp::RttStatistics& s = t.rtt(endpoint);
  if (s.count == 0) return;
  set_of<"tcpServerRttMinMicroseconds", Whose>(r, s.min_us);
  set_of<"tcpServerRttMeanMicroseconds", Whose>(r, static_cast<std::uint32_t>(s.mean_us + 0.5));
  set_of<"tcpServerRttMaxMicroseconds", Whose>(r, s.max_us);
  set_of<"tcpServerRttStdDevMicroseconds", Whose>(r, s.standard_deviation_us());
  set_of<"tcpServerRttCount", Whose>(r, s.count);
}

template <Way Which>
void write_sender(FlowDraft& r, const Flow& f, tcp::Sender sender) {
  if (f.sides[sender].packets == 0) return;
  const tcp::SenderMeasures m = f.tracker->measures(sender);
  set_of<"tcpControlBits", Which>(r, m.flags);
  set_of<"tcpRetransmittedPacketCount", Which>(r, m.retransmitted_packets);
  set_of<"tcpRetransmittedOctetCount", Which>(r, m.retransmitted_octets);
  set_of<"tcpRetransmittedBeforeProbePacketCount", Which>(r, m.before_probe_packets);
  set_of<"tcpOutOfOrderPacketCount", Which>(r, m.out_of_order_packets);
  set_of<"tcpDuplicateAckCount", Which>(r, m.duplicate_acks);
  set_of<"tcpZeroWindowCount", Which>(r, m.zero_windows);
  const std::uint16_t segment = f.tracker->maximum_segment(sender);
  if (segment > 0) set_of<"tcpMaximumSegmentSize", Which>(r, segment);
  if (m.window_known) set_of<"tcpWindowMinOctets", Which>(r, m.window_min);
  // What a sender's segments met is known in part only from the acknowledgements of its peer.
  if (!was_seen(f, sender ^ 1u)) return;
  set_of<"tcpSpuriousRetransmissionPacketCount", Which>(r, m.spurious_packets);
  set_of<"tcpCaptureLossOctetCount", Which>(r, m.capture_loss_octets);
}

void write_tcp(FlowDraft& r, const Flow& f) {
  const tcp::Sender client = f.initiator, server = client ^ 1u;
  write_rtt<Peer::server>(r, *f.tracker, server);
  write_rtt<Peer::client>(r, *f.tracker, client);
  write_sender<Way::forward>(r, f, client);
  write_sender<Way::reverse>(r, f, server);
  if (f.tracker->detail(client)) write_tcp_detail(r, f);
}

std::uint32_t marks_of(const Flow& f) {
  std::uint32_t marks = f.quality;
  if (!f.initiator_certain) marks |= bit_of(Quality::direction_guessed);
  if (!f.tracker) return marks;
  marks |= f.tracker->quality();
  if (!was_seen(f, 0) || !was_seen(f, 1)) marks |= bit_of(Quality::one_sided);
  return marks;
}

}  // namespace

void write_flow(Record& record, const Flow& f, EndReason why, std::string_view application,
                std::uint32_t dissection_quality, double probability) {
  write_identity(record, f);
  FlowDraft r(&record);
  write_counts(r, f);
  r.set<"flowEndReason">(static_cast<std::uint8_t>(why));
  r.set<"biflowDirection">(static_cast<std::uint8_t>(f.initiator_certain ? 1 : 0));
  r.set<"measurementQuality">(marks_of(f) | dissection_quality);
  if (f.key.protocol == ip_protocol::kIcmp) r.set<"icmpTypeCodeIPv4">(f.icmp_type_code);
  if (f.key.protocol == ip_protocol::kIcmpV6) r.set<"icmpTypeCodeIPv6">(f.icmp_type_code);
  if (f.tracker) write_tcp(r, f);
  r.set<"applicationName">(application);
  if (probability < 1) r.set<"samplingProbability">(probability);
  if (f.turns.count > 0) r.set<"responseTimeMeanMicroseconds">(microseconds(f.turns.sum / f.turns.count));
  write_encapsulation(r, f);
  r.release();
}

}  // namespace probe
