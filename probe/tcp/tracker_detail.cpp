// The part of the tracker that goes beyond the basics (option metrics.tcp_detail): each function here is called only if
// there is room for what it notes.
#include <algorithm>
#include <cstdint>

#include "probe/base/sequence.h"
#include "probe/tcp/tracker.h"

namespace probe::tcp {

using namespace tcp_flag;

namespace {

constexpr std::uint32_t kLeastTimeoutUs = 200'000;  // of Linux; RFC 6298 §2.4 would have 1 s
constexpr std::uint32_t kLong = UINT32_MAX;

std::uint32_t microseconds(Nanos rtt) {
  return rtt < 0 ? 0 : static_cast<std::uint32_t>(std::min<Nanos>(rtt / kMicrosecond, kLong));
}

// How long ago; 0 if that is to come, as in a capture out of order.
std::uint32_t since(std::uint32_t then_us, std::uint32_t now_us) {
  return static_cast<std::uint32_t>(std::max(sequence_distance(then_us, now_us), 0));
}

}  // namespace

Rarities& Tracker::rarities_of(Sender s) {
  Sending& d = sending(s);
  if (!d.rarities) d.rarities = troubles_.make_rarities();
  return *d.rarities;
}

void Tracker::note_flags(const Packet& p, Sender s) {
  constexpr std::uint8_t kExperienced = 3;  // RFC 3168 §5
  RareCounts& counts = rarities_of(s).counts;
  if ((p.traffic_class & 3) == kExperienced) ++counts.congestion_experienced;
  if (p.tcp.has(kSyn)) return;
  if (p.tcp.has(kEce)) ++counts.ece;
  if (p.tcp.has(kCwr)) ++counts.cwr;
}

// The smaller MSS option of both sides, less the timestamps that each segment carries (RFC 6691).
void Tracker::note_syn(const Packet& p, Sender s) {
  SynSeen& syn = sending(s).syn;
  if (!syn.seen) syn.remember(p);
  constexpr std::uint16_t kTimestampOctets = 12, kLeastSegment = 64;
  const std::uint16_t own = sides_[s].maximum_segment, other = sides_[s ^ 1].maximum_segment;
  std::uint16_t segment = own == 0 ? other : other == 0 ? own : std::min(own, other);
  if (segment == 0) segment = 536;  // RFC 9293 §3.7.1
  if (p.tcp.has_timestamps) segment -= std::min(segment, kTimestampOctets);
  for (Sending* d : {&sending(0), &sending(1)}) d->full_segment = std::max(segment, kLeastSegment);
}

// Octets behind the top have passed.
void Tracker::note_data(const Packet& p, Sender s, std::uint32_t now_us) {
  Sending& d = sending(s);
  if (p.payload_length != 0) {
    const auto own_rtt_us = [this, s] { return microseconds(network_rtt(s)); };
    const std::uint32_t flying = in_flight(s), window = window_for(s);
    if (!d.started && !sides_[s ^ 1].seen) note_bound(s, now_us);
    d.sent(p.payload_length, p.tcp.has(kPsh), flying, window, now_us, own_rtt_us);
    if (p.tcp.has_timestamps) d.last_timestamp = static_cast<std::uint16_t>(p.tcp.timestamp_value);
    if (flying >= window && flying - std::min(flying, p.payload_length) < window) ++rarities_of(s).counts.window_full;
  }
  if (p.tcp.has(kFin)) d.finished(now_us);
}

void Tracker::note_sample(Sender of, std::uint32_t sample_us) {
  Sending& d = sending(of);
  d.smooth(sample_us);
  if (!d.round_trips.add_home(sample_us)) d.round_trips.add(sample_us, rarities_of(of).round_trips);
}

// One that the basics do not have.
void Tracker::note_more(Sender of, std::uint32_t sent_us, std::uint32_t now_us) {
  if (sequence_before(now_us, sent_us)) return;
  note_sample(of, now_us - sent_us);
  ++rarities_of(of).counts.more_samples;
}

// Whether `s`, now that it sends new data, had more to send before, and all of that was acknowledged so long ago that
// it seems to have waited for one which never came: two round trips (RFC 8985 §7.2). What ends a write is pushed (RFC
// 9293 §3.9.1.2), if anything is.
bool Tracker::waited_for_repeat(Sender s, std::uint32_t now_us) const {
  const Sending& d = sending(s);
  if (!d.started || d.pushed || d.limit != Limit::pause || (sides_[s].flags & kPsh) == 0) return false;
  return since(d.event_us, now_us) >= 2 * least_silence_us() + microseconds(network_rtt(s));
}

// `s` acknowledges this many octets more than before, or has changed its window.
void Tracker::note_answer(const Packet& p, Sender s, std::uint32_t octets, std::uint32_t now_us) {
  const Sender of = s ^ 1;
  Sending& d = sending(of);
  if (octets == 0) return d.window_changed(in_flight(of), window_for(of), now_us);
  if (d.repeat_open) settle_repeat(p, of, now_us);
  d.answered(octets, in_flight(of), window_for(of), !p.tcp.has(kSyn), now_us);
}

// How many octets of data an acknowledgement covers beyond `before`, if that is known.
std::uint32_t Tracker::newly_acknowledged(const Packet& p, Sender s, bool known, std::uint32_t before) const {
  const Side &from = sides_[s], &of = sides_[s ^ 1];
  const std::uint32_t acknowledged = of.acknowledged;
  if (!of.seen) {
    const bool fin = acknowledged - before == 1 && (from.fin || p.tcp.has(kFin));  // most likely
    return known && !fin ? acknowledged - before : 0;
  }
  std::int32_t octets = sequence_distance(known ? before : of.origin, acknowledged);
  if (!known && of.syn) --octets;
  if (of.fin && acknowledged == of.fin_end) --octets;
  return static_cast<std::uint32_t>(std::max(octets, 0));
}

// What the acknowledgements of `s` tell while the other side is not seen. A new one of the client that follows data of
// it is of the answer to that; one of the server, of the next request.
void Tracker::note_unseen(const Packet& p, Sender s, std::uint32_t now_us) {
  const Side& of = sides_[s ^ 1];
  const Sending& d = sending(s);
  if (!of.acknowledged_known) return note_path(s, now_us);
  if (!p.tcp.has(kSyn)) note_bound(s, now_us);
  const std::uint32_t octets = p.tcp.acknowledgement - of.acknowledged;
  if (handshake_.initiator() != static_cast<int>(s) || !d.started || octets == 0) return;
  if (octets == 1 && (sides_[s].fin || p.tcp.has(kFin))) return;  // most likely of a FIN
  Rarities& r = rarities_of(s);
  if (r.asked_us == d.event_us) return;
  r.asked_us = d.event_us;
  ++r.counts.unseen_responses;
  r.counts.unseen_responses_us += since(d.event_us, now_us);
}

// The first acknowledgement of a client whose server is not seen ends its handshake.
void Tracker::note_path(Sender s, std::uint32_t now_us) {
  const SynSeen& syn = sending(s).syn;
  if (syn.seen && syn.repeats == 0 && handshake_.initiator() == static_cast<int>(s))
    sending(s ^ 1).path_rtt_us = since(syn.time_us, now_us);
}

// What a server sends behind its SYN-ACK follows something that the client sent when it had come, or was not asked for
// by anybody but its application.
void Tracker::note_bound(Sender s, std::uint32_t now_us) {
  const SynSeen& syn = sending(s).syn;
  Sending& unseen = sending(s ^ 1);
  if (syn.seen && syn.repeats == 0 && unseen.path_rtt_us == 0 && handshake_.initiator() == static_cast<int>(s ^ 1))
    unseen.path_rtt_us = since(syn.time_us, now_us);
}

void Tracker::count_sack(const Packet& p, Sender s, bool dsack) {
  RareCounts& counts = rarities_of(s).counts;
  counts.dsacks += dsack;
  counts.sack_blocks += p.tcp.sack_blocks - unsigned{dsack};
}

void Tracker::note_sack(const Packet& p, Sender s, bool dsack, std::uint32_t now_us) {
  if (dsack) return;  // it was sent for what came twice, not for what the next block tells
  // RFC 2018 §4: the first block has the segment that this acknowledgement was sent for.
  const std::uint32_t end = p.tcp.sack[0].right;
  const Sender of = s ^ 1;
  const Side& side = sides_[of];
  Rarities& r = rarities_of(of);
  const bool before = r.sacked_known && sequence_before(side.acknowledged, r.sacked);
  if (before && sequence_at_or_before(end, r.sacked)) return;
  if (!side.seen || !sequence_before(side.acknowledged, end) || sequence_before(side.top, end)) return;
  r.sacked = end;
  r.sacked_known = true;
  auto sent_us = side.outstanding.find(end);
  if (!sent_us && side.more) sent_us = side.troubles->backlog->find(end);
  if (sent_us) note_more(of, *sent_us, now_us);
}

void Tracker::note_duplicate_ack(Sender of, std::uint32_t now_us) {
  Rarities& r = rarities_of(of);
  r.duplicate_ack_us = now_us;
  r.duplicate_ack_seen = true;
}

void Tracker::note_repeat(const Packet& p, Sender s, std::uint32_t now_us) {
  RareCounts& counts = rarities_of(s).counts;
  Sending& d = sending(s);
  switch (kind_of_repeat(p, s, now_us)) {
    case Repeat::timeout:
      ++counts.timeouts;
      break;
    case Repeat::recovery:
      ++counts.recoveries;
      break;
    case Repeat::tail_probe:
      ++counts.tail_probes;
      break;
  }
  if (p.tcp.has(kSyn) && d.syn.repeats < UINT16_MAX) ++d.syn.repeats;
  if (p.payload_length == 0)
    d.finished(now_us);  // no data waits for a FIN
  else if (in_flight(s) != 0)
    d.repeated(now_us);
}

Tracker::Repeat Tracker::kind_of_repeat(const Packet& p, Sender s, std::uint32_t now_us) const {
  if (p.tcp.has(kSyn)) return Repeat::timeout;  // nothing else makes a sender repeat it
  const Side& from = sides_[s];
  const Sending &there = sending(s), &back = sending(s ^ 1);
  // Since it sent anything, and since it was asked to.
  std::uint32_t idle = since(from.top_us, now_us), asked = kLong;
  if (from.last_repeat != kNever) idle = std::min(idle, microseconds(p.time - from.last_repeat));
  if (sequence_before(from.top_us, there.event_us)) asked = since(there.event_us, now_us);
  if (there.rarities && there.rarities->duplicate_ack_seen)
    asked = std::min(asked, since(there.rarities->duplicate_ack_us, now_us));

  const std::uint32_t own = microseconds(network_rtt(s));
  const std::uint32_t smoothed = (there.smoothed_us_8 ? there.smoothed_us_8 >> 3 : microseconds(network_rtt(s ^ 1))) +
                                 (back.smoothed_us_8 ? back.smoothed_us_8 >> 3 : own);
  const std::uint32_t timeout = std::max(kLeastTimeoutUs, smoothed + there.variation_us_4 + back.variation_us_4);
  // What an acknowledgement asks for passes a round trip between probe and sender after it, or a quarter of the path's
  // later if it may only be late (RFC 8985 §6.2). Timers are late themselves.
  constexpr std::uint32_t kSlackUs = 5000, kMostTicksUs = 15'000;
  const bool wanted = asked <= own + smoothed / 4 + std::min(smoothed / 16, kMostTicksUs) + kSlackUs;

  // RFC 8985 §7.2: the last segment again, after two round trips of silence.
  const bool tail = p.tcp.sequence + p.sequence_length() == from.top && smoothed != 0 && !wanted;
  const bool alone = sequence_at_or_before(p.tcp.sequence, from.acknowledged_or_origin());
  if (tail && !alone && idle >= smoothed / 4 * 7) return Repeat::tail_probe;
  if (idle >= timeout && !wanted) return Repeat::timeout;
  if (tail && idle >= smoothed / 4 * 7) return Repeat::tail_probe;
  return Repeat::recovery;
}

// Timestamps can tell which copy an acknowledgement will answer.
void Tracker::note_two_copies(const Packet& p, Sender s) {
  Sending& d = sending(s);
  d.repeat_open = false;
  if (!p.tcp.has_timestamps || d.last_timestamp == static_cast<std::uint16_t>(p.tcp.timestamp_value)) return;
  Rarities& r = rarities_of(s);
  r.repeat_end = p.tcp.sequence + p.sequence_length();
  r.repeat_us = microseconds_of(p);
  r.repeat_timestamp = p.tcp.timestamp_value;
  r.repeat_can_be_spurious = sequence_at_or_before(p.tcp.sequence, sides_[s].acknowledged_or_origin());
  d.repeat_open = true;
  d.last_timestamp = static_cast<std::uint16_t>(p.tcp.timestamp_value);
}

// RFC 3522 §3.2: an acknowledgement of octets sent twice that names an earlier time than the second copy's was sent
// for the first.
void Tracker::settle_repeat(const Packet& p, Sender of, std::uint32_t now_us) {
  const Side& side = sides_[of];
  Rarities& r = rarities_of(of);
  if (sequence_before(side.acknowledged, r.repeat_end)) return;
  sending(of).repeat_open = false;
  if (!p.tcp.has_timestamps) return;
  if (p.tcp.timestamp_echo == r.repeat_timestamp) {
    if (side.acknowledged == r.repeat_end) note_more(of, r.repeat_us, now_us);
  } else if (r.repeat_can_be_spurious && sequence_before(p.tcp.timestamp_echo, r.repeat_timestamp)) {
    ++r.counts.spurious_by_timestamp;
    note_needless(of);
  }
}

// That a copy of what ends there was needless is known: no timestamp is asked.
void Tracker::settled(Sender s, std::uint32_t end) {
  Sending& d = sending(s);
  if (d.repeat_open && d.rarities->repeat_end == end) d.repeat_open = false;
}

// The copy that settle_repeat() tells of, unless it is known already. A DSACK that comes later is about it.
void Tracker::note_needless(Sender s) {
  Side& side = sides_[s];
  for (unsigned i = 0; i < side.repeats; ++i) {
    Troubles::Repeat& r = side.troubles->repeated[i];
    if (r.end != sending(s).rarities->repeat_end || r.known_needless) continue;
    r.known_needless = true;
    ++side.troubles->measures.spurious_packets;
    return;
  }
}

void Tracker::note_reordered(const Packet& p, Sender s, const Hole& hole) {
  RareCounts& counts = rarities_of(s).counts;
  const std::uint32_t late_us = since(hole.opened_us, microseconds_of(p));
  ++counts.reordered;
  counts.reordered_us += late_us;
  counts.reordered_most_us = std::max(counts.reordered_most_us, late_us);
  counts.reordered_most_packets = std::max(counts.reordered_most_packets, sending(s).segments - hole.segments);
  if (sides_[s].timestamps && sequence_before(p.tcp.timestamp_value, hole.timestamp)) ++counts.reordered_by_timestamp;
}

void Tracker::note_reset(Sender s) {
  const bool fin = sides_[0].fin || sides_[1].fin, data = sending(0).started || sending(1).started;
  ResetPhase& phase = sending(s).reset_phase;
  if (phase != ResetPhase::none) return;
  phase = fin         ? ResetPhase::after_fin
          : data      ? ResetPhase::after_data
          : is_open() ? ResetPhase::before_data
                      : ResetPhase::handshake;
}

// Whether the handshake is over, or there was none to be seen.
bool Tracker::is_open() const {
  const int client = handshake_.initiator();
  if (client < 0 || handshake_.done() || handshake_.simultaneous()) return true;
  const Side& server = sides_[client ^ 1];
  if (!server.seen) return server.acknowledged_known;  // only the client is seen
  return sending(0).started || sending(1).started;
}

ConnectionState Tracker::state() const {
  const int client = handshake_.initiator();
  if (sides_[0].fin && sides_[1].fin) return ConnectionState::closed;
  for (const Sender s : {0u, 1u}) {
    if (!detailed() || sending(s).reset_phase == ResetPhase::none) continue;
    const bool refused = sending(s).reset_phase == ResetPhase::handshake && client == static_cast<int>(s ^ 1);
    return refused && !sides_[s].syn ? ConnectionState::refused : ConnectionState::reset;
  }
  if (sides_[0].fin || sides_[1].fin) return ConnectionState::half_closed;
  if (handshake_.simultaneous()) return ConnectionState::simultaneous_open;
  if (client < 0) return ConnectionState::mid_stream;
  if (is_open()) return ConnectionState::established;
  return handshake_.answered() ? ConnectionState::half_open : ConnectionState::unanswered;
}

EcnNegotiation Tracker::ecn() const {
  const int client = handshake_.initiator();
  if (!detailed() || client < 0 || !sending(client).syn.seen) return EcnNegotiation::not_seen;
  constexpr std::uint8_t kBoth = kEce | kCwr;
  if ((sending(client).syn.flags & kBoth) != kBoth) return EcnNegotiation::not_asked;
  const SynSeen& answer = sending(client ^ 1).syn;
  if (!answer.seen) return EcnNegotiation::not_seen;
  return (answer.flags & kBoth) == kEce ? EcnNegotiation::agreed : EcnNegotiation::refused;
}

// How well what was lost before the probe can be told from what was lost behind it, and from what was only late.
LossConfidence Tracker::loss_confidence(Sender s) const {
  const Side &from = sides_[s], &to = sides_[s ^ 1];
  constexpr std::uint32_t kDoubts = bit_of(Quality::capture_loss) | bit_of(Quality::tracker_full) |
                                    bit_of(Quality::time_disorder) | bit_of(Quality::repeat_hidden);
  if ((quality() & kDoubts) != 0 || !to.seen) return LossConfidence::low;
  if (from.timestamps || (from.ids_change && !from.ids_jump)) return LossConfidence::high;
  return network_rtt(0) != kUnknown && network_rtt(1) != kUnknown ? LossConfidence::medium : LossConfidence::low;
}

}  // namespace probe::tcp
