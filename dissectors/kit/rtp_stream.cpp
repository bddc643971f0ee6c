#include "dissectors/kit/rtp_stream.h"

namespace probe::rtp {
namespace {

constexpr std::string_view kEventName = "telephone-event", kNoiseName = "CN";
constexpr std::size_t kEventOctets = 4;  // RFC 4733 §2.3

}  // namespace

// A payload type of its own among media of another one, as SDP announces it or, without SDP, as it looks.
bool Stream::is_event(const Header& h) const {
  if (h.payload_type == event_type_) return true;
  if (h.payload_type == payload_type_ && typed_) return false;
  constexpr std::uint8_t kDigits = 16, kReserved = 0x40, kVolume = 0x3f;
  return typed_ && h.payload_type >= kFirstDynamic && h.payload.size() == kEventOctets && h.payload[0] < kDigits &&
         (h.payload[1] & kReserved) == 0 && (h.payload[1] & kVolume) <= 63;
}

bool Stream::wants_format(std::uint8_t type) const {
  if (type == event_type_ || type == kComfortNoise) return false;
  if (!typed_ || type != payload_type_) return true;
  const std::uint32_t n = sequence_.counts().received;
  return !formatted_ && (n & (n - 1)) == 0;
}

void Stream::on_packet(const Header& h, Nanos now) {
  const Sequence::Place place = sequence_.on_packet(h.sequence);
  if (!proven_) weigh(h, place);
  octets_ += h.payload.size();
  markers_ += h.marker;
  if (h.contributors > 0) flags_ |= kContributors;
  if (h.extension) flags_ |= kExtension;
  if (first_ == kNoTime)
    first_ = now;
  else
    delta_max_ = std::max(delta_max_, now - last_packet_);
  last_packet_ = now;
  last_ = std::max(last_, now);
  if (place == Sequence::Place::restart) {
    jitter_.forget();
    guess_.forget();
  }
  if (place == Sequence::Place::stray) return;
  if (is_event(h)) {
    // All packets of an event have the timestamp of its beginning (RFC 4733 §2.5.1.2): no clock, no jitter.
    if (event_type_ == 0xff || h.timestamp != event_timestamp_) ++events_;
    event_type_ = h.payload_type;
    event_timestamp_ = h.timestamp;
  } else {
    on_media(h, now);
  }
  timestamp_ = h.timestamp;
}

void Stream::on_media(const Header& h, Nanos now) {
  const bool noise = h.payload_type == kComfortNoise;
  if (!noise && (!typed_ || h.payload_type != payload_type_)) {
    if (typed_) {
      ++type_changes_;
      jitter_.forget();
      guess_.forget();
      flags_ &= static_cast<std::uint16_t>(~kClockGuessed);
    } else {
      first_type_ = h.payload_type;
    }
    payload_type_ = h.payload_type;
    typed_ = true;
    formatted_ = formatted_ && format_.payload_type == h.payload_type;
    if (!formatted_) format_ = {};
  } else if (!h.marker && sequence_.step() == 1 && h.timestamp != timestamp_) {
    step_ticks_ = h.timestamp - timestamp_;
  }
  if (clock_rate() == 0 && typed_ && !noise) {
    format_.clock_rate = guess_.on_packet(now, h.timestamp);
    if (clock_rate() != 0) flags_ |= kClockGuessed;
  }
  if (clock_rate() != 0) jitter_.on_packet(now, h.timestamp, clock_rate());
}

// Whether the packets follow each other as no other protocol's would: the number goes up by little, and so does the
// timestamp.
void Stream::weigh(const Header& h, Sequence::Place place) {
  constexpr std::uint16_t kMostStep = 16;
  constexpr std::int32_t kMostTicks = 1 << 20;  // some seconds
  const std::int32_t ticks = static_cast<std::int32_t>(h.timestamp - timestamp_);
  const bool follows = place == Sequence::Place::next && sequence_.step() > 0 && sequence_.step() <= kMostStep &&
                       ticks > -kMostTicks && ticks < kMostTicks;
  if (follows) {
    run_ = static_cast<std::uint8_t>(std::min(run_ + 1, 255));
    timestamp_moved_ = timestamp_moved_ || ticks != 0;
  } else if (place != Sequence::Place::duplicate && place != Sequence::Place::late) {
    run_ = 1;
    timestamp_moved_ = false;
  }
}

void Stream::set_format(const MediaFormat& f) {
  if (f.encoding.view() == kEventName) {
    event_type_ = f.payload_type;
    return;
  }
  if (f.encoding.view() == kNoiseName) return;
  // What was measured with a rate that was guessed wrongly is no jitter.
  if ((flags_ & kClockGuessed) != 0 && format_.clock_rate != f.clock_rate) jitter_ = {};
  flags_ &= static_cast<std::uint16_t>(~kClockGuessed);
  format_ = f;
  formatted_ = true;
}

void Stream::on_rtcp(Nanos now) {
  if (first_rtcp_ == kNoTime) first_rtcp_ = now;
  last_ = std::max(last_, now);
}

void Stream::on_sender_report(const rtcp::SenderInfo& s, Nanos now) {
  ++sender_reports_;
  sender_packets_ = s.packets;
  newest_report_ = static_cast<std::uint8_t>((newest_report_ + 1) % reports_.size());
  reports_[newest_report_] = {s.middle, now};
}

void Stream::on_block(const rtcp::ReportBlock& b) {
  ++reception_.count;
  if (!reception_.begun) {
    reception_.begun = true;
    reception_.first_lost = b.lost;
    reception_.first_highest = b.highest;
  }
  reception_.lost = b.lost;
  reception_.highest = b.highest;
  reception_.jitter_sum += b.jitter;
  reception_.jitter_max = std::max(reception_.jitter_max, b.jitter);
  reception_.fraction_max = std::max(reception_.fraction_max, b.fraction_lost);
  // What does not reach the probe does not reach the receiver: if that misses less, the capture did.
  constexpr std::int64_t kSlack = 2;
  if (has_media() && sequence_.counts().restarts == 0 && sequence_.cumulative_lost() > b.lost + kSlack)
    capture_lost_ = true;
}

Nanos Stream::round_trip(const rtcp::ReportBlock& b, Nanos now) {
  if (b.last_report == 0 || (b.last_report == answered_ && b.delay == answered_after_)) return -1;
  for (const SenderReport& r : reports_) {
    if (r.time == kNoTime || r.middle != b.last_report) continue;
    answered_ = b.last_report;
    answered_after_ = b.delay;
    constexpr Nanos kGrain = kSecond / 65536 * 2;  // LSR and DLSR have so many digits
    const Nanos taken = now - r.time - static_cast<Nanos>(std::uint64_t{b.delay} * kSecond >> 16);
    return taken < 0 && taken >= -kGrain ? 0 : taken;
  }
  return -1;
}

void Stream::start_interval() {
  sequence_.start_interval();
  jitter_.start_interval();
  first_ = first_rtcp_ = kNoTime;
  delta_max_ = 0;
  octets_ = 0;
  markers_ = type_changes_ = events_ = 0;
  first_type_ = payload_type_;
  sender_reports_ = 0;
  const Reception before = reception_;
  reception_ = {};
  reception_.begun = before.begun;
  reception_.first_lost = before.lost;
  reception_.first_highest = before.highest;
  opaque_ = 0;
  voip_ = {};
  capture_lost_ = false;
}

}  // namespace probe::rtp
