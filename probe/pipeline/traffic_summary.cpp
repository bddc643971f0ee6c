#include "probe/pipeline/traffic_summary.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "probe/pipeline/twins.h"

namespace probe {
namespace {

std::uint64_t long_microseconds(Nanos n) { return static_cast<std::uint64_t>(std::max<Nanos>(n / kMicrosecond, 0)); }
std::uint32_t microseconds(Nanos n) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(long_microseconds(n), 0xffffffff));
}

// How many routers the packet has passed if its sender began with the least usual value that is not below.
std::uint8_t hops(std::uint8_t ttl) {
  const unsigned initial = ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;
  return static_cast<std::uint8_t>(initial - ttl);
}

template <Way Which>
void write_headers(FlowDraft& r, const Flow& f, unsigned side) {
  if (f.sides[side].packets == 0) return;
  const PathHeaders& h = f.headers;
  set_of<"maximumTTL", Which>(r, h.ttl_max[side]);
  set_of<"hopCountEstimate", Which>(r, hops(h.ttl_max[side]));
  set_of<"ttlChangeCount", Which>(r, h.ttl_changes[side]);
  set_of<"ipFragmentCount", Which>(r, h.fragments[side]);
  if (f.key.ip_version != 4) return;
  const bool dont = (f.dont_fragment >> side & 1) != 0, fragments = h.fragments[side] > 0;
  set_of<"fragmentFlags", Which>(r, static_cast<std::uint8_t>((dont ? 0x40 : 0) | (fragments ? 0x20 : 0)));
}

template <Way Which>
void write_errors(FlowDraft& r, const traffic::IcmpErrors& e) {
  if (!e.any) return;
  set_of<"icmpHostUnreachableCount", Which>(r, e.count(IcmpError::host_unreachable));
  set_of<"icmpPortUnreachableCount", Which>(r, e.count(IcmpError::port_unreachable));
  set_of<"icmpProhibitedCount", Which>(r, e.count(IcmpError::prohibited));
  set_of<"icmpTooBigCount", Which>(r, e.count(IcmpError::too_big));
  set_of<"icmpTimeExceededCount", Which>(r, e.count(IcmpError::time_exceeded));
  set_of<"icmpOtherErrorCount", Which>(r, e.count(IcmpError::other));
  set_of<"icmpErrorTypeCode", Which>(r, e.type_code);
  if (e.mtu > 0) set_of<"pathMtuOctets", Which>(r, e.mtu);
}

template <Way Which>
void write_echoes(FlowDraft& r, const traffic::Echoes& e) {
  if (e.requests() == 0 && e.unanswered() == 0 && e.count() == 0) return;
  set_of<"icmpEchoRequestCount", Which>(r, e.requests());
  set_of<"icmpEchoUnansweredCount", Which>(r, e.unanswered());
  if (e.count() == 0) return;
  set_of<"icmpEchoRttMinMicroseconds", Which>(r, e.least());
  set_of<"icmpEchoRttMeanMicroseconds", Which>(r, e.mean());
  set_of<"icmpEchoRttMaxMicroseconds", Which>(r, e.greatest());
}

template <Way Which>
void write_path(FlowDraft& r, const Flow& f, const traffic::PathMeasures* m, unsigned side) {
  write_headers<Which>(r, f, side);
  if (!m) return;
  write_errors<Which>(r, m->errors[side]);
  write_echoes<Which>(r, m->echoes[side]);
  if (const std::uint32_t octets = m->black_holes[side].octets(); octets > 0)
    set_of<"pathMtuSuspectOctets", Which>(r, octets);
}

// By turns of data: of TCP there are times of transactions.
void write_responses(FlowDraft& r, const Flow& f) {
  if (f.key.protocol != ip_protocol::kUdp || (f.turns.count == 0 && f.turns.unanswered == 0)) return;
  r.set<"responseCount">(f.turns.count);
  r.set<"unansweredRequestCount">(f.turns.unanswered);
  if (f.turns.count == 0) return;
  r.set<"responseTimeMinMicroseconds">(f.response.least);
  r.set<"responseTimeMaxMicroseconds">(f.response.greatest);
}

using Histogram = std::array<char, 6 * 11>;
std::string_view write_histogram(const std::array<std::uint32_t, 6>& classes, Histogram& out) {
  char* at = out.data();
  for (const std::uint32_t n : classes) {
    if (at != out.data()) *at++ = ',';
    at = std::to_chars(at, out.data() + out.size(), n).ptr;
  }
  return {out.data(), static_cast<std::size_t>(at - out.data())};
}

template <Way Which>
void write_sizes(FlowDraft& r, const Flow& f, const traffic::SideMeasures& m) {
  set_of<"transportOctetDeltaCount", Which>(r, m.payload());
  set_of<"transportPacketDeltaCount", Which>(r, m.non_empty());
  set_of<"smallPacketCount", Which>(r, m.small());
  set_of<"largePacketCount", Which>(r, m.large());
  if (m.non_empty() > 0) {
    set_of<"payloadLengthMaximum", Which>(r, m.most_payload());
    set_of<"payloadLengthFirst", Which>(r, m.first_payload());
    set_of<"payloadLengthStdDev", Which>(r, m.payload_deviation());
  }
  if (m.has_lengths()) {
    Histogram text;
    set_of<"minimumIpTotalLength", Which>(r, m.least_length());
    set_of<"maximumIpTotalLength", Which>(r, m.greatest_length());
    set_of<"packetLengthHistogram", Which>(r, write_histogram(m.classes(), text));
  }
  if (f.key.protocol != ip_protocol::kTcp) return;
  set_of<"initialTcpControlBits", Which>(r, m.first_flags());
  set_of<"furtherTcpControlBits", Which>(r, m.further_flags());
}

template <Way Which>
void write_times(FlowDraft& r, const Flow& f, const traffic::SideMeasures& m, unsigned side) {
  if (m.gaps() == 0) return;
  set_of<"interArrivalMinMicroseconds", Which>(r, microseconds(m.least_gap()));
  set_of<"interArrivalMeanMicroseconds", Which>(r, microseconds(m.mean_gap()));
  set_of<"interArrivalMaxMicroseconds", Which>(r, microseconds(m.greatest_gap()));
  set_of<"interArrivalStdDevMicroseconds", Which>(r, microseconds(m.gap_deviation()));
  set_of<"idleMicroseconds", Which>(r, long_microseconds(m.idle()));
  if (m.gaps() > 1) set_of<"interArrivalJitterMicroseconds", Which>(r, microseconds(m.jitter()));
  const Nanos lasted = f.sides[side].last - f.first[side];
  if (lasted <= 0) return;
  const double mean = static_cast<double>(f.sides[side].octets) * kSecond / static_cast<double>(lasted);
  set_of<"octetsPerSecondMean", Which>(r, static_cast<std::uint64_t>(mean + 0.5));
  set_of<"octetsPerSecondPeak", Which>(r, m.peak());
}

void write_packets(FlowDraft& r, const Flow& f, const traffic::PacketMeasures& m) {
  const unsigned initiator = f.initiator, responder = initiator ^ 1u;
  const traffic::SideMeasures &forward = m.sides[initiator], &reverse = m.sides[responder];
  if (f.sides[initiator].packets > 0) write_sizes<Way::forward>(r, f, forward);
  if (f.sides[responder].packets > 0) write_sizes<Way::reverse>(r, f, reverse);
  write_times<Way::forward>(r, f, forward, initiator);
  write_times<Way::reverse>(r, f, reverse, responder);
  const auto sent = static_cast<double>(forward.payload()), received = static_cast<double>(reverse.payload());
  if (sent + received > 0) r.set<"producerConsumerRatio">((sent - received) / (sent + received));
  if (m.first.count() == 0) return;
  std::array<char, traffic::FirstPackets::kTextOctets> text;
  r.set<"firstPackets">(m.first.write(initiator, text));
  r.set<"firstEightNonEmptyPacketDirections">(m.first.directions(initiator));
}

void write_entropy(FlowDraft& r, const Flow& f, const traffic::PayloadOctets& e) {
  const unsigned initiator = f.initiator, responder = initiator ^ 1u;
  if (e.any(initiator)) r.set<"payloadEntropy">(e.entropy(initiator));
  if (e.any(responder)) r.set<"reversePayloadEntropy">(e.entropy(responder));
}

}  // namespace

void write_traffic(Record& record, const Flow& f, const FlowMeasures& measures) {
  FlowDraft r(&record);
  if (measures.options().path) {
    write_path<Way::forward>(r, f, measures.path(f), f.initiator);
    write_path<Way::reverse>(r, f, measures.path(f), f.initiator ^ 1u);
  }
  write_responses(r, f);
  if (const traffic::PacketMeasures* m = measures.packets(f); m && measures.options().packets) write_packets(r, f, *m);
  if (const traffic::PayloadOctets* e = measures.entropy(f)) write_entropy(r, f, *e);
  r.release();
}

}  // namespace probe
