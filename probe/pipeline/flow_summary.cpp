#include "probe/pipeline/flow_summary.h"

#include <algorithm>
#include <array>

#include "probe/base/quality.h"
#include "probe/pipeline/flow_scribe.h"
#include "probe/tcp/tracker.h"

namespace probe {
namespace {

std::uint32_t microseconds(Nanos n) {
  return static_cast<std::uint32_t>(std::clamp<Nanos>(n / kMicrosecond, 0, 0xffffffff));
}

void write_counts(Record& r, const Flow& f) {
  const SideCounts& forward = f.sides[f.initiator];
  const SideCounts& reverse = f.sides[f.initiator ^ 1u];
  const Nanos start = f.interval_start();
  const Nanos end = forward.packets == 0   ? reverse.last
                    : reverse.packets == 0 ? forward.last
                                           : std::max(forward.last, reverse.last);
  set_in<"flowStartMilliseconds">(r, start);
  set_in<"flowEndMilliseconds">(r, end);
  set_in<"flowStartMicroseconds">(r, start);
  set_in<"flowEndMicroseconds">(r, end);
  set_in<"octetDeltaCount">(r, forward.octets);
  set_in<"packetDeltaCount">(r, forward.packets);
  set_in<"reverseOctetDeltaCount">(r, reverse.octets);
  set_in<"reversePacketDeltaCount">(r, reverse.packets);
  if (forward.packets > 0) {
    set_in<"ipClassOfService">(r, f.traffic_class[f.initiator]);
    set_in<"minimumTTL">(r, f.ttl_min[f.initiator]);
  }
  if (reverse.packets > 0) {
    set_in<"reverseMinimumTTL">(r, f.ttl_min[f.initiator ^ 1u]);
    set_in<"reverseFlowStartMilliseconds">(r, reverse.first);
    set_in<"reverseFlowEndMilliseconds">(r, reverse.last);
  }
}

void write_encapsulation(Record& r, const Flow& f) {
  const Encapsulation& e = f.encapsulation;
  if (e.vlan_count > 0) set_in<"vlanId">(r, static_cast<std::uint16_t>(e.vlan[0] & 0x0fff));
  if (e.vlan_count > 1) set_in<"dot1qCustomerVlanId">(r, static_cast<std::uint16_t>(e.vlan[1] & 0x0fff));
  if (e.mpls_count > 0) {
    const std::array<std::uint8_t, 3> label = {static_cast<std::uint8_t>(e.mpls_top >> 16),
                                               static_cast<std::uint8_t>(e.mpls_top >> 8),
                                               static_cast<std::uint8_t>(e.mpls_top)};
    set_in<"mplsTopLabelStackSection">(r, label);
  }
  static constexpr std::array<std::string_view, 7> kTunnels = {"",       "gre",   "erspan",  "vxlan",
                                                               "geneve", "gtp-u", "ip-in-ip"};
  if (e.tunnel != Tunnel::none) set_in<"tunnelType">(r, kTunnels[static_cast<std::size_t>(e.tunnel)]);
  if (e.tunnel != Tunnel::none && e.has_tunnel_id) set_in<"tunnelIdentifier">(r, e.tunnel_id);
  if (!e.has_mac || e.mpls_count > 0 || e.tunnel != Tunnel::none) return;
  const bool forward = f.mac_from == f.initiator;
  set_in<"sourceMacAddress">(r, forward ? e.source_mac : e.destination_mac);
  set_in<"destinationMacAddress">(r, forward ? e.destination_mac : e.source_mac);
}

void write_rtt(Record& r, const tcp::Tracker& t, unsigned client, unsigned server) {
  if (const Nanos rtt = t.handshake_rtt(server); rtt >= 0)
    set_in<"tcpServerHandshakeRttMicroseconds">(r, microseconds(rtt));
  if (const Nanos rtt = t.handshake_rtt(client); rtt >= 0)
    set_in<"tcpClientHandshakeRttMicroseconds">(r, microseconds(rtt));
  if (const tcp::RttStatistics& s = t.rtt(server); s.count > 0) {
    set_in<"tcpServerRttMinMicroseconds">(r, s.min_us);
    set_in<"tcpServerRttMeanMicroseconds">(r, static_cast<std::uint32_t>(s.mean_us + 0.5));
    set_in<"tcpServerRttMaxMicroseconds">(r, s.max_us);
    set_in<"tcpServerRttStdDevMicroseconds">(r, s.standard_deviation_us());
    set_in<"tcpServerRttCount">(r, s.count);
  }
  if (const tcp::RttStatistics& s = t.rtt(client); s.count > 0) {
    set_in<"tcpClientRttMinMicroseconds">(r, s.min_us);
    set_in<"tcpClientRttMeanMicroseconds">(r, static_cast<std::uint32_t>(s.mean_us + 0.5));
    set_in<"tcpClientRttMaxMicroseconds">(r, s.max_us);
    set_in<"tcpClientRttStdDevMicroseconds">(r, s.standard_deviation_us());
    set_in<"tcpClientRttCount">(r, s.count);
  }
}

// Name of the element's reverse twin (RFC 5103 §6.1); the compiler finds it in the table or refuses.
template <schema::Name Field>
constexpr auto reverse_of() {
  constexpr std::string_view kPrefix = "reverse", kName = Field.view();
  char chars[kPrefix.size() + kName.size() + 1]{};
  std::copy(kPrefix.begin(), kPrefix.end(), chars);
  std::copy(kName.begin(), kName.end(), chars + kPrefix.size());
  chars[kPrefix.size()] = static_cast<char>(kName.front() - 'a' + 'A');
  return schema::Name(chars);
}

// The element of the initiator's direction, or its twin for the responder's.
template <schema::Name Field, class V>
void set_of(Record& r, bool reverse, V value) {
  if (reverse)
    set_in<reverse_of<Field>()>(r, value);
  else
    set_in<Field>(r, value);
}

void write_sender(Record& r, bool reverse, const tcp::SenderMeasures& m, std::uint16_t segment) {
  set_of<"tcpControlBits">(r, reverse, m.flags);
  set_of<"tcpRetransmittedPacketCount">(r, reverse, m.retransmitted_packets);
  set_of<"tcpRetransmittedOctetCount">(r, reverse, m.retransmitted_octets);
  set_of<"tcpRetransmittedBeforeProbePacketCount">(r, reverse, m.before_probe_packets);
  set_of<"tcpOutOfOrderPacketCount">(r, reverse, m.out_of_order_packets);
  set_of<"tcpDuplicateAckCount">(r, reverse, m.duplicate_acks);
  set_of<"tcpZeroWindowCount">(r, reverse, m.zero_windows);
  if (segment > 0) set_of<"tcpMaximumSegmentSize">(r, reverse, segment);
  if (m.window_known) set_of<"tcpWindowMinOctets">(r, reverse, m.window_min);
}

// What a sender's segments met is known in part only from the acknowledgements of its peer.
void write_acknowledged(Record& r, bool reverse, const tcp::SenderMeasures& m) {
  set_of<"tcpSpuriousRetransmissionPacketCount">(r, reverse, m.spurious_packets);
  set_of<"tcpCaptureLossOctetCount">(r, reverse, m.capture_loss_octets);
}

void write_tcp(Record& r, const Flow& f) {
  const tcp::Tracker& t = *f.tracker;
  const unsigned client = f.initiator, server = client ^ 1u;
  write_rtt(r, t, client, server);
  const bool both = f.sides[client].packets > 0 && f.sides[server].packets > 0;
  for (const unsigned sender : {client, server}) {
    if (f.sides[sender].packets == 0) continue;
    const bool reverse = sender == server;
    write_sender(r, reverse, t.measures(sender), t.maximum_segment(sender));
    if (both) write_acknowledged(r, reverse, t.measures(sender));
  }
}

std::uint32_t marks_of(const Flow& f) {
  std::uint32_t marks = f.quality;
  if (!f.initiator_certain) marks |= bit_of(Quality::direction_guessed);
  if (!f.tracker) return marks;
  marks |= f.tracker->quality();
  if (f.sides[0].packets == 0 || f.sides[1].packets == 0) marks |= bit_of(Quality::one_sided);
  return marks;
}

}  // namespace

void write_flow(Record& r, const Flow& f, EndReason why, std::string_view application,
                std::uint32_t dissection_quality) {
  write_identity(r, f);
  write_counts(r, f);
  set_in<"flowEndReason">(r, static_cast<std::uint8_t>(why));
  set_in<"biflowDirection">(r, static_cast<std::uint8_t>(f.initiator_certain ? 1 : 0));
  set_in<"measurementQuality">(r, marks_of(f) | dissection_quality);
  if (f.key.protocol == ip_protocol::kIcmp) set_in<"icmpTypeCodeIPv4">(r, f.icmp_type_code);
  if (f.key.protocol == ip_protocol::kIcmpV6) set_in<"icmpTypeCodeIPv6">(r, f.icmp_type_code);
  if (f.tracker) write_tcp(r, f);
  set_in<"applicationName">(r, application);
  if (f.turns.count > 0) set_in<"responseTimeMeanMicroseconds">(r, microseconds(f.turns.sum / f.turns.count));
  write_encapsulation(r, f);
}

}  // namespace probe
