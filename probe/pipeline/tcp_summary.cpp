#include "probe/pipeline/tcp_summary.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "probe/tcp/fingerprint.h"
#include "probe/tcp/tracker.h"

namespace probe {
namespace {

using tcp::Sending;

constexpr tcp::RareCounts kNothingRare;

const tcp::RareCounts& rare(const Sending& d) { return d.rarities ? d.rarities->counts : kNothingRare; }

std::uint8_t number(auto enumerator) { return static_cast<std::uint8_t>(enumerator); }

std::uint32_t mean(std::uint64_t sum, std::uint32_t count) { return static_cast<std::uint32_t>(sum / count); }

template <Peer Whose>
void write_percentiles(FlowDraft& r, const tcp::Tracker& t, tcp::Sender endpoint) {
  const Sending& d = *t.detail(endpoint ^ 1u);
  if (d.round_trips.empty()) return;
  const tcp::RttStatistics& basic = t.rtt(endpoint);
  const std::uint32_t more = rare(d).more_samples;
  const tcp::RttCounts* others = d.rarities ? &d.rarities->round_trips : nullptr;
  tcp::RttSketch::Three us = d.round_trips.percentiles({50, 95, 99}, others);
  if (more == 0)
    for (std::uint32_t& each : us) each = std::clamp(each, basic.min_us, std::max(basic.min_us, basic.max_us));
  set_of<"tcpServerRttSmoothedMicroseconds", Whose>(r, d.smoothed_us_8 >> 3);
  set_of<"tcpServerRttVariationMicroseconds", Whose>(r, d.variation_us_4 >> 2);
  set_of<"tcpServerRttMedianMicroseconds", Whose>(r, us[0]);
  set_of<"tcpServerRttPercentile95Microseconds", Whose>(r, us[1]);
  set_of<"tcpServerRttPercentile99Microseconds", Whose>(r, us[2]);
  set_of<"tcpServerRttPercentileCount", Whose>(r, basic.count + more);
}

template <Way Which>
void write_syn(FlowDraft& r, const Flow& f, const Sending& d) {
  const tcp::SynSeen& syn = d.syn;
  if (!syn.seen) return;
  std::array<char, tcp::kLongestFingerprint> room;
  set_of<"tcpSynFingerprint", Which>(r, tcp::fingerprint(syn, f.key.ip_version == 6, room));
  set_of<"tcpSynRetryCount", Which>(r, std::uint32_t{syn.repeats});
  constexpr std::uint8_t kNone = 255, kCookieAndData = 3;
  set_of<"tcpWindowScale", Which>(r, syn.has_window_scale ? syn.window_scale : kNone);
  const bool used = syn.fast_open == TcpHeader::FastOpen::cookie && syn.has_data;
  set_of<"tcpFastOpen", Which>(r, used ? kCookieAndData : number(syn.fast_open));
}

template <Way Which>
void write_events(FlowDraft& r, const Sending& d) {
  const tcp::RareCounts& n = rare(d);
  set_of<"tcpResetPhase", Which>(r, number(d.reset_phase));
  set_of<"tcpKeepAliveCount", Which>(r, n.keep_alives);
  set_of<"tcpWindowProbeCount", Which>(r, n.window_probes);
  set_of<"tcpNetworkDuplicatePacketCount", Which>(r, n.network_duplicates);
  set_of<"tcpCongestionExperiencedPacketCount", Which>(r, n.congestion_experienced);
  set_of<"tcpEceCount", Which>(r, n.ece);
  set_of<"tcpCwrCount", Which>(r, n.cwr);
  set_of<"tcpSackBlockCount", Which>(r, n.sack_blocks);
  set_of<"tcpDsackCount", Which>(r, n.dsacks);
}

template <Way Which>
void write_retransmissions(FlowDraft& r, const tcp::Tracker& t, tcp::Sender sender, bool answered) {
  const tcp::SenderMeasures m = t.measures(sender);
  const tcp::RareCounts& n = rare(*t.detail(sender));
  if (n.reordered != 0) {
    set_of<"tcpOutOfOrderByTimestampPacketCount", Which>(r, n.reordered_by_timestamp);
    set_of<"tcpReorderingMaxPackets", Which>(r, n.reordered_most_packets);
    set_of<"tcpReorderingMaxMicroseconds", Which>(r, n.reordered_most_us);
    set_of<"tcpReorderingMeanMicroseconds", Which>(r, mean(n.reordered_us, n.reordered));
  }
  if (m.retransmitted_packets == 0) return;
  const std::uint32_t elsewhere = m.before_probe_packets + m.spurious_packets;
  set_of<"tcpTimeoutRetransmissionPacketCount", Which>(r, n.timeouts);
  set_of<"tcpRecoveryRetransmissionPacketCount", Which>(r, n.recoveries);
  set_of<"tcpTailProbePacketCount", Which>(r, n.tail_probes);
  set_of<"tcpLostBeforeProbePacketCount", Which>(r, m.before_probe_packets);
  set_of<"tcpLostAfterProbePacketCount", Which>(r,
                                                m.retransmitted_packets - std::min(m.retransmitted_packets, elsewhere));
  set_of<"tcpLossConfidence", Which>(r, number(t.loss_confidence(sender)));
  if (!answered) return;
  set_of<"tcpSpuriousByAckPacketCount", Which>(r, n.spurious_by_ack);
  set_of<"tcpSpuriousByDsackPacketCount", Which>(r, n.spurious_by_dsack);
  set_of<"tcpSpuriousByTimestampPacketCount", Which>(r, n.spurious_by_timestamp);
}

// What acknowledgements tell of the data of `d`.
template <Way Which>
void write_flight(FlowDraft& r, const Sending& d, bool window_known) {
  std::array<std::uint64_t, 3> limited;
  for (std::size_t i = 0; i < limited.size(); ++i) limited[i] = d.sum(static_cast<Sending::Carry>(i), d.limited_us[i]);
  if (const std::uint32_t n = d.segments - d.interval_segments; n != 0) {
    set_of<"tcpInFlightMaxOctets", Which>(r, d.in_flight_most);
    set_of<"tcpInFlightMeanOctets", Which>(r, mean(d.sum(Sending::kInFlight, d.in_flight_sum), n));
    if (window_known) {
      set_of<"tcpWindowFullCount", Which>(r, rare(d).window_full);
      set_of<"tcpCongestionLimitedMicroseconds", Which>(r, limited[Sending::kCongestion]);
      set_of<"tcpApplicationLimitedMicroseconds", Which>(r, limited[Sending::kApplication]);
      set_of<"tcpReceiverLimitedMicroseconds", Which>(r, limited[Sending::kReceiver]);
    }
  }
  const std::uint64_t octets = d.sum(Sending::kAcknowledged, d.acknowledged);
  const std::uint64_t us = std::accumulate(limited.begin(), limited.end(), std::uint64_t{0});
  if (octets == 0 || us == 0) return;
  set_of<"tcpAcknowledgedOctetCount", Which>(r, octets);
  const double rate = static_cast<double>(octets) * 8e6 / static_cast<double>(us);
  set_of<"tcpGoodputBitsPerSecond", Which>(r, static_cast<std::uint64_t>(rate));
}

template <Way Which>
void write_sender_detail(FlowDraft& r, const Flow& f, tcp::Sender sender) {
  if (f.sides[sender].packets == 0) return;
  const tcp::Tracker& t = *f.tracker;
  const Sending &d = *t.detail(sender), &back = *t.detail(sender ^ 1u);
  const bool answered = was_seen(f, sender ^ 1u);
  write_syn<Which>(r, f, d);
  write_events<Which>(r, d);
  write_retransmissions<Which>(r, t, sender, answered);
  if (answered && t.acknowledged_known(sender)) write_flight<Which>(r, d, t.measures(sender ^ 1u).window_known);
  if (back.windows == 0) return;
  set_of<"tcpWindowMeanOctets", Which>(r, mean(back.sum(Sending::kWindow, back.window_sum), back.windows));
  set_of<"tcpWindowMaxOctets", Which>(r, back.window_most);
}

// What one side tells about the other, which was not seen.
void write_unseen(FlowDraft& r, const Flow& f, tcp::Sender unseen) {
  const tcp::Tracker& t = *f.tracker;
  if (was_seen(f, unseen) || !t.acknowledged_known(unseen)) return;
  const Sending& d = *t.detail(unseen);
  r.set<"tcpUnseenOctetCount">(d.sum(Sending::kAcknowledged, d.acknowledged));
  if (d.path_rtt_us != 0 && t.initiator() == static_cast<int>(unseen))
    r.set<"tcpPathRttBoundMicroseconds">(d.path_rtt_us);
  else if (d.path_rtt_us != 0)
    r.set<"tcpPathHandshakeRttMicroseconds">(d.path_rtt_us);
  const tcp::RareCounts& n = rare(*t.detail(unseen ^ 1u));
  if (n.unseen_responses == 0) return;
  r.set<"tcpUnseenResponseCount">(n.unseen_responses);
  r.set<"tcpUnseenResponseMeanMicroseconds">(mean(n.unseen_responses_us, n.unseen_responses));
}

}  // namespace

void write_tcp_detail(FlowDraft& r, const Flow& f) {
  const tcp::Tracker& t = *f.tracker;
  const tcp::Sender client = f.initiator, server = client ^ 1u;
  r.set<"tcpConnectionState">(number(t.state()));
  r.set<"tcpEcnNegotiation">(number(t.ecn()));
  write_unseen(r, f, client);
  write_unseen(r, f, server);
  write_percentiles<Peer::server>(r, t, server);
  write_percentiles<Peer::client>(r, t, client);
  write_sender_detail<Way::forward>(r, f, client);
  write_sender_detail<Way::reverse>(r, f, server);
}

}  // namespace probe
