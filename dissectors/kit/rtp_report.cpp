// The record of a stream.
#include <cmath>
#include <optional>

#include "dissectors/kit/e_model.h"
#include "dissectors/kit/rtp_stream.h"
#include "probe/base/quality.h"

namespace probe::rtp {
namespace {

constexpr double kBufferMs = 60;  // of the receiver: assumed

std::uint32_t microseconds(Nanos n) {
  return static_cast<std::uint32_t>(std::clamp<Nanos>(n / kMicrosecond, 0, UINT32_MAX));
}
double milliseconds(Nanos n) { return static_cast<double>(n) / kMillisecond; }
std::uint16_t hundredths(double v) { return static_cast<std::uint16_t>(std::lround(v * 100)); }

// Packets that the receiver says it lost in this interval, in percent of what was sent.
std::optional<double> receivers_loss(const Reception& r) {
  const std::uint32_t expected = r.highest - r.first_highest;
  if (r.count == 0 || expected == 0 || expected > 1u << 24) return std::nullopt;
  return 100.0 * std::max(0, r.lost - r.first_lost) / expected;
}

}  // namespace

void Stream::report(Scribe& scribe, const Context& c) {
  if (c.final) sequence_.finish();
  Draft<"rtp"> d = scribe.open<"rtp">();
  d.set<"rtpSsrc">(ssrc_);
  std::uint16_t flags = flags_;
  if (c.call.announced) flags |= kAnnounced;
  if (c.call.secure) flags |= kSecure;
  if (c.left_out) flags |= kLeftOut;
  if (has_media()) {
    write_media(d);
    write_quality(d, c, flags);
  }
  write_reports(d, c);
  if (c.call.announced) {
    d.set<"rtpSignallingFlowId">(c.call.signalling_flow);
    d.set<"rtpCallId">(c.call.id.view());
  }
  if (c.has_predecessor) d.set<"rtpPreviousSsrc">(c.predecessor);
  d.set<"rtpFlags">(flags);
  Exchange e;
  e.request_first = has_media() ? first_ : first_rtcp_;
  e.request_last = has_media() ? last_packet_ : last_;
  e.request_octets = octets_;
  e.about_server = from_ == Side::server;
  if (capture_lost_) e.quality |= bit_of(Quality::capture_loss);
  scribe.commit(d, e);
}

void Stream::write_media(Draft<"rtp">& d) {
  const Sequence::Counts& n = sequence_.counts();
  d.set<"rtpPayloadType">(typed_ ? first_type_ : event_type_);
  d.set<"rtpSequenceNumber">(sequence_.first());
  d.set<"rtpLastSequenceNumber">(sequence_.highest());
  d.set<"rtpDurationMicroseconds">(
      static_cast<std::uint64_t>(std::max<Nanos>(last_packet_ - first_, 0) / kMicrosecond));
  d.set<"rtpPacketCount">(n.received);
  d.set<"rtpPayloadOctetCount">(octets_);
  d.set<"rtpExpectedPacketCount">(n.expected);
  d.set<"rtpLostPacketCount">(n.lost());
  d.set<"rtpLossBurstCount">(n.bursts);
  d.set<"rtpLossBurstMax">(n.burst_max);
  d.set<"rtpDuplicatePacketCount">(n.duplicates);
  d.set<"rtpReorderedPacketCount">(n.reordered);
  d.set<"rtpReorderMax">(n.reorder_max);
  d.set<"rtpStrayPacketCount">(n.strays);
  d.set<"rtpRestartCount">(n.restarts);
  d.set<"rtpMarkerCount">(markers_);
  d.set<"rtpPayloadTypeChangeCount">(type_changes_);
  d.set<"rtpDeltaMaxMicroseconds">(static_cast<std::uint64_t>(delta_max_ / kMicrosecond));
  d.set<"rtpEncodingName">(format_.encoding.view());
  if (clock_rate() != 0) d.set<"rtpClockRate">(clock_rate());
  if (jitter_.count() > 0) {
    d.set<"rfc3550JitterMicroseconds">(microseconds(jitter_.mean()));
    d.set<"rtpJitterMinMicroseconds">(microseconds(jitter_.least()));
    d.set<"rtpJitterMaxMicroseconds">(microseconds(jitter_.greatest()));
    d.set<"rtpJitterLastMicroseconds">(microseconds(jitter_.last()));
  }
  if (events_ > 0) d.set<"rtpEventCount">(events_);
}

// R and MOS (docs/METRICS.md): of one codec throughout the interval, and only if something was measured.
void Stream::write_quality(Draft<"rtp">& d, const Context& c, std::uint16_t& flags) {
  constexpr std::uint32_t kLeastPackets = 50;
  const Sequence::Counts& n = sequence_.counts();
  const e_model::Codec* codec = e_model::find_codec(format_.encoding.view());
  if (!codec || type_changes_ > 0 || n.expected < kLeastPackets || clock_rate() == 0) return;
  e_model::Conditions conditions;
  conditions.loss_percent = 100.0 * n.lost() / n.expected;
  conditions.burst_ratio = e_model::burst_ratio(n.burst_lost, n.bursts, n.expected);
  // The receiver knows of the whole path; and where the capture lost packets, only the receiver knows.
  const std::optional<double> theirs = receivers_loss(reception_);
  if (theirs && (capture_lost_ || *theirs > conditions.loss_percent)) {
    conditions.loss_percent = *theirs;
    if (capture_lost_) conditions.burst_ratio = 1;
    flags |= kReceiversLoss;
  } else if (capture_lost_) {
    return;
  }
  if (c.to_receiver.count > 0 && c.to_sender.count > 0) {
    const double packetisation = std::min(1000.0 * step_ticks_ / clock_rate(), 1000.0);
    conditions.delay_ms =
        milliseconds(c.to_receiver.mean() + c.to_sender.mean()) / 2 + packetisation + codec->look_ahead_ms + kBufferMs;
    d.set<"rtpDelayMilliseconds">(static_cast<std::uint16_t>(std::clamp(*conditions.delay_ms, 0.0, 65535.0)));
  }
  const double r = e_model::r_factor(*codec, conditions);
  d.set<"rtpRFactorHundredths">(hundredths(r));
  d.set<"rtpMosHundredths">(hundredths(e_model::mos_of(r)));
}

void Stream::write_reports(Draft<"rtp">& d, const Context& c) {
  if (sender_reports_ > 0) {
    d.set<"rtcpSenderReportCount">(sender_reports_);
    d.set<"rtcpSenderPacketCount">(sender_packets_);
  }
  d.set<"rtcpCname">(cname_.view());
  if (reception_.count > 0) {
    d.set<"rtcpReportCount">(reception_.count);
    d.set<"rtcpLostPacketCount">(static_cast<std::uint32_t>(std::max(0, reception_.lost)));
    d.set<"rtcpFractionLostMax">(reception_.fraction_max);
    if (const std::uint64_t rate = clock_rate(); rate != 0) {
      const auto in_time = [rate](std::uint64_t ticks) { return static_cast<std::uint32_t>(ticks * 1'000'000 / rate); };
      d.set<"rtcpJitterMeanMicroseconds">(in_time(reception_.jitter_sum / reception_.count));
      d.set<"rtcpJitterMaxMicroseconds">(in_time(reception_.jitter_max));
    }
  }
  if (c.to_receiver.count > 0) {
    d.set<"rtcpReceiverRttMinMicroseconds">(microseconds(c.to_receiver.least));
    d.set<"rtcpReceiverRttMeanMicroseconds">(microseconds(c.to_receiver.mean()));
    d.set<"rtcpReceiverRttMaxMicroseconds">(microseconds(c.to_receiver.greatest));
    d.set<"rtcpReceiverRttCount">(c.to_receiver.count);
    if (c.to_sender.count > 0) d.set<"rtcpRttMicroseconds">(microseconds(c.to_receiver.mean() + c.to_sender.mean()));
  }
  if (voip_.ssrc == ssrc_ && (voip_.r_factor != 127 || voip_.mos != 127)) {
    d.set<"rtcpDiscardRate">(voip_.discard_rate);
    d.set<"rtcpRFactor">(voip_.r_factor);
    d.set<"rtcpMosTenths">(voip_.mos);
  }
  if (opaque_ > 0) d.set<"rtcpOpaquePacketCount">(opaque_);
}

}  // namespace probe::rtp
