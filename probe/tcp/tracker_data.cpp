// The part of the tracker that looks at sequence numbers: what is new, missing, repeated, late (docs/METRICS.md).
#include <algorithm>
#include <cstdint>
#include <optional>

#include "probe/base/sequence.h"
#include "probe/tcp/tracker.h"

namespace probe::tcp {

using namespace tcp_flag;

namespace {

// RFC 7323 §2.3: no window is larger, so whatever is farther away does not belong to the same numbering.
constexpr std::int32_t kFar = 1 << 30;
// How late a reordered segment may be if nothing else tells it from a retransmission.
constexpr Nanos kReorderingLag = 3 * kMillisecond;
// The same if a pause came before, so that a retransmission is possible.
constexpr Nanos kReorderingLagAfterPause = 300 * kMicrosecond;

std::uint32_t earlier(std::uint32_t a, std::uint32_t b) { return sequence_before(a, b) ? a : b; }
std::uint32_t later(std::uint32_t a, std::uint32_t b) { return sequence_before(a, b) ? b : a; }

}  // namespace

Verdict Tracker::on_data(const Packet& p, Sender s, std::uint32_t now_us) {
  Side& from = sides_[s];
  const std::uint32_t sequence = p.tcp.sequence, length = p.sequence_length(), end = sequence + length;
  if (!from.seen) {
    start(from, p);
    from.provisional = length == 0;
  }
  if (length == 0) {
    if (sequence != from.top)
      on_gap_told(p, s, now_us);
    else if (from.missing)
      from.found_odd();  // all data before it has been seen
    return sequence + 1 == from.top ? Verdict::keep_alive : Verdict::no_data;
  }
  std::int32_t ahead = sequence_distance(from.top, sequence);
  if (ahead != 0 && (from.provisional || ahead > kFar || ahead < -kFar)) {
    start(from, p);
    ahead = 0;
  }
  from.provisional = false;
  if (!p.tcp.has_timestamps) from.timestamps = false;
  if (p.tcp.has(kFin)) {
    from.fin = true;
    from.fin_end = end;
  }
  if (ahead < 0) return on_behind(p, s, now_us);
  if (ahead == 0) {
    const Side& to = sides_[s ^ 1];
    if (to.window == 0 && to.window_seen && length == 1 && p.payload_length == 1) {
      from.probed = true;
      count(s, &RareCounts::window_probes);
      return Verdict::fresh;
    }
    if (from.missing || now_us - from.top_us > kLeastSilenceUs) on_pause(p, s, now_us);
    advance(from, p, end, now_us);
    if (detailed()) note_data(p, s, now_us);
    return Verdict::fresh;
  }
  const bool hidden = (quality_ & bit_of(Quality::repeat_hidden)) != 0;
  const Hole hole{from.top, sequence, from.top_us, now_us, p.tcp.timestamp_value, segments_of(s), from.missing, hidden};
  open_hole(from, hole);
  if (may_be_repeat(p, s, hole)) mark(Quality::repeat_hidden);
  advance(from, p, end, now_us);
  if (detailed()) note_data(p, s, now_us);
  return Verdict::early;
}

// RFC 9293 §3.10.7.4: a segment without data has the number that comes next, so all before it has been sent: lost on
// its way to the probe, or overtaken. What a sender sends against a closed window may not count (on_data).
void Tracker::on_gap_told(const Packet& p, Sender s, std::uint32_t now_us) {
  Side& from = sides_[s];
  const std::int32_t ahead = sequence_distance(from.top, p.tcp.sequence);
  const auto reach = static_cast<std::int32_t>(std::min(sides_[s ^ 1].reach(), std::uint32_t{kFar}));
  if (ahead <= 0 || ahead > reach || from.provisional || from.probed) return;
  open_hole(from, {from.top, p.tcp.sequence, from.top_us, now_us, p.tcp.timestamp_value, segments_of(s), from.missing});
  from.missing = 0;
  from.top = p.tcp.sequence;
  from.top_us = now_us;
}

// Begins before the top.
Verdict Tracker::on_behind(const Packet& p, Sender s, std::uint32_t now_us) {
  Side& from = sides_[s];
  const Side& to = sides_[s ^ 1];
  const std::uint32_t sequence = p.tcp.sequence, length = p.sequence_length(), end = sequence + length;
  if (length == 1 && p.payload_length == 1) {
    // RFC 9293 §3.8.4: one octet below the next, when all is acknowledged; else it repeats that octet.
    if (end == from.top && (!from.acknowledged_known || from.acknowledged == from.top)) return Verdict::keep_alive;
    // RFC 9293 §3.8.6.1: what the receiver has no room for is not lost.
    if (to.window == 0 && to.window_seen && from.acknowledged_known && sequence == from.acknowledged) {
      count(s, &RareCounts::window_probes);
      return Verdict::repeated;
    }
  }
  const std::uint32_t beyond = sequence_before(from.top, end) ? end - from.top : 0;
  const std::uint32_t known_end = end - beyond;
  const std::uint32_t below = sequence_before(sequence, from.origin) ? earlier(known_end, from.origin) - sequence : 0;
  Holes::Fill fill;
  if (from.holes) {
    fill = from.fill_holes(sequence, known_end, from.acknowledged_or_origin());
    from.not_lost(fill.acknowledged);
    if (fill.forgot) mark(Quality::tracker_full);
  }
  const std::uint32_t again = length - beyond - below - fill.octets;
  Verdict verdict;
  if (again != 0)
    verdict = on_repeated(p, s, again, fill.octets);
  else if (fill.octets != 0)
    verdict = on_hole_filled(p, s, fill);
  else
    verdict = on_before_origin(p, s);
  if (beyond == 0) return verdict;
  advance(from, p, end, now_us);
  if (detailed()) note_data(p, s, now_us);
  return Verdict::fresh;
}

// Octets that passed before: lost behind the probe, or sent again without need.
Verdict Tracker::on_repeated(const Packet& p, Sender s, std::uint32_t again, std::uint32_t filled) {
  Side& from = sides_[s];
  if (p.tcp.has(kSyn) && p.tcp.has(kAck) && handshake_.simultaneous() && !from.met) {
    from.met = true;  // RFC 9293 §3.5: it has the number of the SYN that was sent before
    return Verdict::repeated;
  }
  SenderTroubles& measures = repeat(p, s, again + filled);
  const bool needless = from.has_acknowledged(earlier(p.tcp.sequence + p.sequence_length(), from.top));
  if (needless) {
    ++measures.spurious_packets;
    count(s, &RareCounts::spurious_by_ack);
    if (from.reactions < UINT8_MAX) ++from.reactions;
  } else if (detailed() && filled == 0) {
    note_two_copies(p, s);
  }
  from.remember_repeat(p, needless);
  return filled != 0 ? Verdict::late : Verdict::repeated;
}

// Octets that did not pass before although later ones did.
Verdict Tracker::on_hole_filled(const Packet& p, Sender s, const Holes::Fill& fill) {
  Side& from = sides_[s];
  const bool reordered = was_reordered(p, s, fill.hole);
  if (fill.acknowledged != 0 && reordered) {
    mark(Quality::time_disorder);  // the capture itself is out of order: the acknowledgement came first
    return Verdict::late;
  }
  if (reordered) {
    if (fill.octets == fill.hole.end - fill.hole.begin && may_be_repeat(p, s, fill.hole)) mark(Quality::repeat_hidden);
    ++from.troubles->measures.out_of_order_packets;
    if (detailed()) note_reordered(p, s, fill.hole);
    forget_behind(from, p.tcp.sequence);
    from.last_repeat = p.time;
  } else {
    SenderTroubles& measures = repeat(p, s, fill.octets);
    // The receiver had it: the first copy did pass, but the capture missed it.
    ++(fill.acknowledged != 0 ? measures.spurious_packets : measures.before_probe_packets);
    if (fill.acknowledged != 0) count(s, &RareCounts::spurious_by_ack);
  }
  if (!p.tcp.has(kFin)) await(from, p.tcp.sequence + p.payload_length, microseconds_of(p));
  return Verdict::late;
}

// The capture began in the middle, and what was sent before comes now.
Verdict Tracker::on_before_origin(const Packet& p, Sender s) {
  Side& from = sides_[s];
  if (from.syn) return Verdict::repeated;  // before the SYN there is nothing: left over from another connection
  const std::uint32_t end = p.tcp.sequence + p.sequence_length();
  const auto origin_us = static_cast<std::uint32_t>(from.origin_time / kMicrosecond);
  const Hole hole{p.tcp.sequence, from.origin,           microseconds_of(p) - std::uint32_t{kFar},
                  origin_us,      from.origin_timestamp, segments_of(s),
                  false};
  if (was_reordered(p, s, hole)) {
    ++troubles_of(from).measures.out_of_order_packets;
    if (detailed()) note_reordered(p, s, hole);
    from.last_repeat = p.time;
  } else {
    SenderTroubles& measures = repeat(p, s, p.payload_length);
    if (from.has_acknowledged(end)) {
      ++measures.spurious_packets;
      count(s, &RareCounts::spurious_by_ack);
    }
  }
  if (sequence_before(end, from.origin)) {
    Hole rest = hole;
    rest.begin = end;
    open_hole(from, rest);
  }
  from.origin = p.tcp.sequence;
  return Verdict::late;
}

void Tracker::open_hole(Side& side, const Hole& hole) {
  if (troubles_of(side).holes.open(hole, side.acknowledged_or_origin())) mark(Quality::tracker_full);
  side.holes = true;
}

// Counts a retransmission, whatever the reason.
SenderTroubles& Tracker::repeat(const Packet& p, Sender s, std::uint32_t octets) {
  Side& side = sides_[s];
  SenderTroubles& measures = troubles_of(side).measures;
  if (detailed()) note_repeat(p, s, microseconds_of(p));
  ++measures.retransmitted_packets;
  measures.retransmitted_octets += std::min(octets, p.payload_length);
  forget_behind(side, p.tcp.sequence);
  if (p.payload_length != 0) side.last_repeat = p.time;
  return measures;
}

// Whether the segment that fills a hole was sent before those behind the hole.
bool Tracker::was_reordered(const Packet& p, Sender s, const Hole& hole) const {
  const Side& from = sides_[s];
  const Nanos lag = static_cast<std::int32_t>(microseconds_of(p) - hole.opened_us) * kMicrosecond;
  if (lag < 0) return true;
  if (from.timestamps) {
    // RFC 7323 §3: they tell the order of sending, but only to a tick of the sender's clock.
    const std::int32_t newer = sequence_distance(hole.timestamp, p.tcp.timestamp_value);
    if (newer < 0) return true;
    if (newer > 1) return false;
    const std::int32_t ticks = sequence_distance(from.origin_timestamp, p.tcp.timestamp_value);
    if (newer == 0 && ticks > 0 && lag > 2 * (p.time - from.origin_time) / ticks) return true;
  }
  if (from.id_behind && !from.ids_jump) return true;
  // A retransmission comes a round trip after its original, which was sent after the segment before the hole.
  const Nanos own = network_rtt(s), other = network_rtt(s ^ 1);
  if (own == kUnknown || other == kUnknown) return lag < kReorderingLag;
  const Nanos since_before = static_cast<std::int32_t>(microseconds_of(p) - hole.before_us) * kMicrosecond;
  if (since_before < (own + other) / 8 * 7) return true;
  // It is ahead of those that came before, and the number of its original is missing among theirs, or before them if
  // one of them may be a repetition.
  const bool missing = hole.numbers_missing != 0 || hole.behind_hidden;
  if (missing && !from.ids_jump && p.ip_id != 0) return false;
  return lag < std::min(own / 2, kReorderingLagAfterPause);
}

void Tracker::start(Side& side, const Packet& p) {
  side.seen = true;
  side.top = side.origin = p.tcp.sequence;
  side.top_us = microseconds_of(p);
  side.origin_time = p.time;
  side.origin_timestamp = p.tcp.timestamp_value;
  side.timestamps = p.tcp.has_timestamps;
  if (side.holes) side.troubles->holes.clear();
  side.holes = false;
  side.outstanding.clear();
  drop_backlog(side);
  side.repeats = side.reactions = 0;
  side.probed = side.met = false;
  side.missing = 0;
  const std::int32_t ahead = sequence_distance(side.top, side.acknowledged);
  if (ahead > kFar || ahead < -kFar) side.acknowledged_known = false;
}

// [begin, end) has been seen, behind the top: if it had been acknowledged, it had been taken for lost.
void Tracker::Side::found(std::uint32_t begin, std::uint32_t end) {
  if (acknowledged_known && sequence_before(begin, acknowledged)) not_lost(earlier(end, acknowledged) - begin);
}

void Tracker::Side::not_lost(std::uint32_t octets) {
  if (!troubles) return;
  std::uint64_t& lost = troubles->measures.capture_loss_octets;
  lost -= std::min<std::uint64_t>(lost, octets);
}

Holes::Fill Tracker::Side::fill_holes(std::uint32_t begin, std::uint32_t end, std::uint32_t known) {
  const Holes::Fill fill = troubles->holes.fill(begin, end, known);
  holes = !troubles->holes.empty();
  return fill;
}

void Tracker::advance(Side& side, const Packet& p, std::uint32_t end, std::uint32_t now_us) {
  side.found(later(p.tcp.sequence, side.top), end);
  side.top = end;
  side.top_us = now_us;
  side.probed = false;
  side.missing = 0;
  if (end - side.origin > std::uint32_t{kFar}) side.grow_old();
  if (p.tcp.has(kSyn | kFin) || side.has_acknowledged(end)) return;
  await(side, end, now_us);
}

// More wait than Outstanding holds: what comes goes behind them.
void Tracker::await_behind(Side& side, std::uint32_t end, std::uint32_t now_us) {
  Troubles& troubles = troubles_of(side);
  if (!side.more) {
    troubles.backlog = troubles_.make_backlog();
    side.more = troubles.backlog != nullptr;
  }
  if (side.more && troubles.backlog->push({end, now_us})) return;
  mark(Quality::tracker_full);
  if (!side.more) side.outstanding.push(end, now_us);
}

// See Outstanding::acknowledge. What is left of the backlog moves up as soon as there is room for it.
std::optional<std::uint32_t> Tracker::acknowledge(Side& side, std::uint32_t acknowledged) {
  std::optional<std::uint32_t> sent_us = side.outstanding.acknowledge(acknowledged);
  while (side.more && side.outstanding.empty()) {
    Backlog& backlog = *side.troubles->backlog;
    while (!backlog.empty() && !side.outstanding.full()) {
      const auto [end, us] = backlog.pop();
      side.outstanding.push(end, us);
    }
    if (backlog.empty()) drop_backlog(side);
    if (side.outstanding.any_ends_by(acknowledged)) sent_us = side.outstanding.acknowledge(acknowledged);
  }
  return sent_us;
}

void Tracker::forget_behind(Side& side, std::uint32_t sequence) {
  if (side.more) {
    side.troubles->backlog->forget_behind(sequence);
    if (!side.troubles->backlog->empty()) return;
    drop_backlog(side);
  }
  side.outstanding.forget_behind(sequence);
}

void Tracker::drop_backlog(Side& side) {
  if (side.troubles) troubles_.drop_backlog(*side.troubles);
  side.more = false;
}

// Numbers that lie far back would come to lie ahead. The receiver has acknowledged them, seen or not.
void Tracker::Side::grow_old() {
  const std::uint32_t oldest = top - kFar / 2;
  if (holes) fill_holes(origin, oldest, origin);
  origin = oldest;
  if (acknowledged_known && sequence_before(acknowledged, oldest)) acknowledged_known = false;
}

void Tracker::Side::remember_repeat(const Packet& p, bool known_needless) {
  const Troubles::Repeat repeat{
      p.tcp.sequence, p.tcp.sequence + p.payload_length, microseconds_of(p), 0, known_needless, known_needless};
  if (repeats < Troubles::kRepeats) {
    troubles->repeated[repeats++] = repeat;
    return;
  }
  std::uint8_t& next = troubles->next_repeat;
  troubles->repeated[next] = repeat;
  next = static_cast<std::uint8_t>((next + 1) % Troubles::kRepeats);
}

}  // namespace probe::tcp
