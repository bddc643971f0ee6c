#include "probe/tcp/tracker.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "probe/base/sequence.h"

namespace probe::tcp {

using namespace tcp_flag;

namespace {

// RFC 7323 §2.3: no window is larger, so whatever is farther away does not belong to the same numbering.
constexpr std::uint32_t kLargestWindow = 1u << 30;
constexpr std::uint8_t kLargestShift = 14;
constexpr std::uint32_t kSmallestReach = 1u << 16;
// A copy without an IP identification that tells it from a retransmission must come this soon.
constexpr std::int32_t kDuplicateUs = 1000;

std::uint32_t sack_mark(const TcpHeader& t) { return t.sack[0].left * 31 + t.sack[0].right; }

// RFC 5681 §2, and an acknowledgement with new SACK information (RFC 6675 §2) although its window changed.
template <class Side>
bool is_duplicate_ack(const Packet& p, const Side& from, const Side& of) {
  if (p.payload_length != 0 || p.tcp.has(kSyn | kFin)) return false;
  if (of.seen && !sequence_before(of.acknowledged, of.top)) return false;
  if (from.seen && p.tcp.sequence + 1 == from.top) return false;  // a keep-alive
  if (p.tcp.window == from.window && from.window_seen) return true;
  return p.tcp.sack_blocks != 0 && sack_mark(p.tcp) != from.sack;
}

// RFC 2883 §4: the first block lies below the acknowledgement or inside of the second block.
bool is_dsack(const TcpHeader& t) {
  const auto& [left, right] = t.sack[0];
  if (t.sack_blocks == 0 || !sequence_before(left, right)) return false;
  if (sequence_at_or_before(right, t.acknowledgement)) return true;
  return t.sack_blocks > 1 && sequence_at_or_before(t.sack[1].left, left) &&
         sequence_at_or_before(right, t.sack[1].right);
}

template <class Side>
void on_first_syn(const TcpHeader& t, Side& from, Side& to) {
  from.syn = true;
  from.maximum_segment = t.maximum_segment;
  from.scale_offered = t.has_window_scale;
  from.sack_offered = t.sack_permitted;
  from.window_shift = std::min(t.window_scale, kLargestShift);
  if (!to.syn) return;
  from.scale_known = to.scale_known = true;
  if (!from.scale_offered || !to.scale_offered) from.window_shift = to.window_shift = 0;  // RFC 7323 §2.2: both or none
}

}  // namespace

Tracker::~Tracker() {
  for (const Side& side : sides_)
    if (side.troubles) troubles_.destroy(side.troubles);
  for (Sender s = 0; detailed() && s < 2; ++s)
    if (sending(s).rarities) troubles_.destroy(sending(s).rarities);
}

Troubles& Tracker::troubles_of(Side& side) {
  if (!side.troubles) side.troubles = troubles_.make();
  return *side.troubles;
}

Verdict Tracker::on_segment(const Packet& p, Sender s) {
  const std::uint32_t now_us = microseconds_of(p);
  sides_[s].flags |= p.tcp.flags;
  if (is_duplicate(p, s, now_us)) {
    count(s, &RareCounts::network_duplicates);
    return p.sequence_length() != 0 ? Verdict::duplicate : Verdict::no_data;
  }
  if (detailed() && (p.tcp.has(kEce | kCwr) || (p.traffic_class & 3) == 3)) note_flags(p, s);
  if (p.tcp.has(kRst)) {
    on_reset(p, s);
    return Verdict::no_data;
  }
  if (p.tcp.has(kSyn)) {
    if (!on_syn(p, s)) return Verdict::no_data;
  } else if (!sides_[s].seen && handshake_.initiator() < 0) {
    mark(Quality::mid_stream);
  }
  if (p.tcp.has(kAck)) on_acknowledgement(p, s, now_us);
  const Verdict verdict = on_data(p, s, now_us);
  if (verdict == Verdict::keep_alive) {
    const Side& to = sides_[s ^ 1];
    count(s, to.window_seen && to.window == 0 ? &RareCounts::window_probes : &RareCounts::keep_alives);
  }
  return verdict;
}

// The network or a SPAN port made the copy: nothing of it but the TTL differs. With IPv4 the identification proves it,
// unless the sender uses always the same one; else the copy must have come before any answer could.
bool Tracker::is_duplicate(const Packet& p, Sender s, std::uint32_t now_us) {
  Side& from = sides_[s];
  from.identify(p, sides_[s ^ 1]);
  const std::uint32_t signature = RecentPackets::signature(p);
  const auto age_us = is_news(p, s) ? std::nullopt : from.packets.find(signature, now_us);
  if (!age_us) {
    from.packets.remember(from.remembered++, signature, now_us);
    return false;
  }
  if (p.ip_id != 0 && from.ids_change) return true;
  // Acknowledgements are legitimately sent alike.
  if (p.sequence_length() == 0 || std::abs(std::int64_t{*age_us}) >= kDuplicateUs) return false;
  if (p.tcp.has(kSyn)) {
    // RFC 6298 §2.1: it is not repeated before 1 s. But a server answers each copy of a SYN, and nothing tells its
    // answers apart.
    if (p.tcp.has(kAck)) mark(Quality::handshake_repeated);
    return true;
  }
  const Nanos answer = network_rtt(s ^ 1);
  return answer != kUnknown ? *age_us * kMicrosecond < answer : p.tcp.has_timestamps;
}

// Sends or acknowledges the next octets, which the original of a copy would have done before: nearly every packet.
bool Tracker::is_news(const Packet& p, Sender s) const {
  const Side &from = sides_[s], &of = sides_[s ^ 1];
  if (p.tcp.has(kSyn | kFin)) return false;
  if (p.payload_length > 1) return from.seen && !from.provisional && p.tcp.sequence == from.top;
  return p.payload_length == 0 && of.seen && of.acknowledged_known &&
         sequence_before(of.acknowledged, p.tcp.acknowledgement) &&
         sequence_at_or_before(p.tcp.acknowledgement, of.top);
}

// Asked of a SYN.
bool Tracker::opens_another(const Packet& p, Sender s) const {
  const Side &from = sides_[s], &to = sides_[s ^ 1];
  if (!from.seen && !to.seen) return from.reset;
  if (from.seen && p.tcp.sequence == (from.syn ? from.origin : from.origin - 1)) return false;
  if (end_seen()) return true;
  if (handshake_.answered()) return false;
  return handshake_.initiator() < 0 || handshake_.initiator() == static_cast<int>(s);
}

// False if nothing but the opening is to be learnt from it.
bool Tracker::on_syn(const Packet& p, Sender s) {
  if (starts_another(p, s)) restart();
  Side &from = sides_[s], &to = sides_[s ^ 1];
  const bool overtaken = from.seen && !from.syn && p.tcp.sequence == from.origin - 1;
  if (overtaken) {
    from.origin = p.tcp.sequence;
  } else if (from.seen && p.tcp.sequence != from.origin) {
    if (handshake_.done()) return false;
    start(from, p);  // a server without memory of its first answer, as with SYN cookies; or what came was forged
  }
  if (handshake_.on_syn(p, s)) {
    for (; to.repeats != 0; to.forget_repeat(0))
      if (!to.troubles->repeated[0].known_needless) {
        ++to.troubles->measures.spurious_packets;
        count(s ^ 1, &RareCounts::spurious_by_timestamp);
      }
  }
  for (Sender i : {0u, 1u}) sides_[i].ends_handshake = handshake_.awaits(i);
  if (!from.syn) on_first_syn(p.tcp, from, to);
  if (detailed()) note_syn(p, s);
  return !overtaken;
}

void Tracker::restart() {
  for (Side& side : sides_) {
    const Side old = side;
    std::construct_at(&side);
    side.troubles = old.troubles;
    if (side.troubles) side.troubles->holes.clear();
    drop_backlog(side);
    side.window_min = old.window_min;
    side.window_known = old.window_known;
    side.flags = old.flags;
    side.rtt = old.rtt;
    side.detailed = old.detailed;
  }
  for (Sender s = 0; detailed() && s < 2; ++s) sending(s).begin_again();
  handshake_ = Handshake();
}

// RFC 9293 §3.5.3: a RST outside of the window ends nothing; inside, its number need not be the next one.
void Tracker::on_reset(const Packet& p, Sender s) {
  const Side &from = sides_[s], &to = sides_[s ^ 1];
  if (from.seen) {
    const std::uint32_t low = from.acknowledged_or_origin() - kSmallestReach, high = from.top + to.reach();
    if (sequence_before(p.tcp.sequence, low) || sequence_before(high, p.tcp.sequence)) return;
  }
  if (detailed()) note_reset(s);
  for (Side& side : sides_) side.reset = true;
}

void Tracker::on_acknowledgement(const Packet& p, Sender s, std::uint32_t now_us) {
  Side &from = sides_[s], &of = sides_[s ^ 1];
  const std::uint32_t acknowledged = p.tcp.acknowledgement;
  if (from.ends_handshake && !p.tcp.has(kSyn)) {
    handshake_.on_ack(p, s, from.seen ? from.top : p.tcp.sequence);
    from.ends_handshake = handshake_.awaits(s);
  }
  if (of.repeats != 0 || of.reactions != 0) on_needless(p, s);
  if (detailed() && p.tcp.sack_blocks != 0) count_sack(p, s, is_dsack(p.tcp));
  const bool known = of.acknowledged_known, window_same = from.window_scaled && from.window == p.tcp.window;
  const std::uint32_t before = of.acknowledged;
  if (!known || acknowledged != before) {
    if (of.acknowledged_known && sequence_before(acknowledged, of.acknowledged)) return;  // overtaken by a later one
    if (!plausible(acknowledged, s)) return;
    advance_acknowledged(p, s, now_us);
  } else if (is_duplicate_ack(p, from, of)) {
    ++troubles_of(from).measures.duplicate_acks;
    if (detailed()) note_duplicate_ack(s ^ 1, now_us);
  }
  if (p.tcp.sack_blocks != 0) {
    if (detailed()) note_sack(p, s, is_dsack(p.tcp), now_us);
    from.sack = sack_mark(p.tcp);
  }
  on_window(p, from);
  if (!detailed()) return;
  if (!known || acknowledged != before)
    note_answer(p, s, newly_acknowledged(p, s, known, before), now_us);
  else if (!window_same)
    note_answer(p, s, 0, now_us);
}

void Tracker::on_window(const Packet& p, Side& side) {
  const std::uint16_t window = p.tcp.window;
  const bool was_closed = side.window_seen && side.window == 0;
  side.window = window;
  side.window_seen = true;
  if (p.tcp.has(kSyn)) return;  // RFC 7323 §2.2: the window of a SYN is not scaled, and not yet in use
  side.window_scaled = true;
  if (window == 0 && !was_closed) ++troubles_of(side).measures.zero_windows;
  if (!side.scale_known) return;
  const std::uint32_t octets = std::uint32_t{window} << side.window_shift;
  if (!side.window_known || octets < side.window_min) side.window_min = octets;
  side.window_known = true;
}

// What the receiver tells of copies that it did not need: by DSACK; or, without SACK, by repeating itself although it
// has all, since only such a copy makes it answer at once (RFC 9293 §3.10.7.4).
void Tracker::on_needless(const Packet& p, Sender s) {
  const Side& from = sides_[s];
  Side& of = sides_[s ^ 1];
  const bool dsack = is_dsack(p.tcp);
  unsigned found = of.repeats;
  if (dsack) {
    // If it can be about one that is counted already, it is: that one came behind the acknowledgement.
    const auto& [left, right] = p.tcp.sack[0];
    for (unsigned i = 0; i < of.repeats; ++i) {
      const Troubles::Repeat& r = of.troubles->repeated[i];
      if (sequence_before(r.begin, left) || sequence_at_or_before(right, r.begin)) continue;
      // A SYN-ACK that meets a SYN (RFC 9293 §3.5) repeats its octet, and may be told of.
      if (handshake_.simultaneous() && r.begin == of.origin) continue;
      if (r.known_needless) return of.forget_repeat(i);
      if (found == of.repeats || !sequence_before(right, r.end)) found = i;  // rather one that it covers
    }
    if (found == of.repeats) return;
    Troubles::Repeat& r = of.troubles->repeated[found];
    if (sequence_before(right, r.end)) {
      r.begin = right;  // a part of it: the rest may have been needed
      return;
    }
  } else {
    if (from.sack_offered && of.sack_offered) return;  // RFC 2883 §4: it would have told by DSACK
    const bool again = of.acknowledged_known && of.acknowledged == of.top && p.tcp.acknowledgement == of.top &&
                       p.tcp.window == from.window;
    const bool reaction = p.tcp.sequence == from.top && p.sequence_length() == 0 && p.tcp.sack_blocks == 0;
    if (!again || !reaction) return;
    if (of.reactions != 0) {
      --of.reactions;
      return;
    }
    while (found != 0 && of.troubles->repeated[found - 1].known_needless) --found;
    if (found-- == 0) return;
  }
  if (found == of.repeats) return;
  if (may_be_copied(of.troubles->repeated[found], p, s)) mark(Quality::copy_in_doubt);
  ++of.troubles->measures.spurious_packets;  // each copy is told of by itself
  count(s ^ 1, dsack ? &RareCounts::spurious_by_dsack : &RareCounts::spurious_by_ack);
  if (detailed()) settled(s ^ 1, of.troubles->repeated[found].end);
  of.forget_repeat(found);
}

// RFC 3708 §2: whether the DSACK `p` can be about a copy that the network made of a retransmission which was needed: no
// acknowledgement came before, or none sooner than the retransmission could cause it and this one right behind.
// Of retransmissions not known to be needless.
bool Tracker::may_be_copied(const Troubles::Repeat& r, const Packet& p, Sender s) const {
  if (!r.acknowledged) return true;
  const auto since_repeat = static_cast<std::int32_t>(r.acknowledged_us - r.sent_us);
  const auto since_acknowledged = static_cast<std::int32_t>(microseconds_of(p) - r.acknowledged_us);
  const Nanos least = network_rtt(s);
  return since_acknowledged < kDuplicateUs && (least == kUnknown || since_repeat * kMicrosecond >= least / 16 * 15);
}

// RFC 9293 §3.10.7.4: nobody acknowledges what was not sent. If the capture missed a lot, two acknowledgements agree.
bool Tracker::plausible(std::uint32_t acknowledged, Sender s) {
  Side& from = sides_[s];
  const Side& of = sides_[s ^ 1];
  if (!of.seen) return !of.acknowledged_known || acknowledged - of.acknowledged < kLargestWindow;
  if (sequence_at_or_before(acknowledged, of.top)) return of.top - acknowledged < kLargestWindow;
  if (acknowledged - of.top <= from.reach()) return true;
  if (from.odd_ack_seen && acknowledged - from.odd_ack <= from.reach()) return true;
  from.odd_ack = acknowledged;
  from.odd_ack_seen = true;
  return false;
}

void Tracker::advance_acknowledged(const Packet& p, Sender s, std::uint32_t now_us) {
  Side &from = sides_[s], &of = sides_[s ^ 1];
  const std::uint32_t acknowledged = p.tcp.acknowledgement;
  if (!of.seen) {
    if (detailed()) note_unseen(p, s, now_us);
  } else {
    if (sequence_before(of.top, acknowledged) && (of.provisional || (of.probed && acknowledged == of.top + 1)))
      of.top = acknowledged;
    const std::uint32_t since = of.acknowledged_or_origin();
    if (of.holes && sequence_before(since, acknowledged))
      of.troubles->measures.capture_loss_octets += of.troubles->holes.octets(since, acknowledged);
    if (sequence_before(of.top, acknowledged))
      troubles_of(of).measures.capture_loss_octets += acknowledged - (sequence_before(of.top, since) ? since : of.top);
    if (const auto sent_us = acknowledge(of, acknowledged)) {
      const auto sample_us = static_cast<std::int32_t>(now_us - *sent_us);
      if (sample_us >= 0) {
        from.rtt.add(sample_us * kMicrosecond);
        from.recent.add(static_cast<std::uint32_t>(sample_us), now_us);
        if (detailed()) note_sample(s ^ 1, static_cast<std::uint32_t>(sample_us));
      }
    }
  }
  of.acknowledged = acknowledged;
  of.acknowledged_known = true;
  for (unsigned i = 0; i < of.repeats; ++i) {
    Troubles::Repeat& r = of.troubles->repeated[i];
    if (r.acknowledged || sequence_before(acknowledged, r.end)) continue;
    r.acknowledged = true;
    r.acknowledged_us = now_us;
  }
}

Nanos Tracker::network_rtt(Sender s) const {
  const std::uint32_t least_us = sides_[s].recent.least_us();
  if (least_us == RecentMinimum::kNone) return handshake_.rtt(s);
  const Nanos least = least_us * kMicrosecond;
  // A repeated handshake counts, too: as taken from the last copy it is not too long, but the first samples of a
  // server that answers with data include its thinking.
  return handshake_.rtt(s) == kUnknown ? least : std::min(least, handshake_.rtt(s));
}

bool Tracker::closed() const {
  if (sides_[0].reset) return true;
  return end_seen() && sides_[0].has_acknowledged(sides_[0].fin_end) && sides_[1].has_acknowledged(sides_[1].fin_end);
}

bool Tracker::end_seen() const { return sides_[0].reset || (sides_[0].fin && sides_[1].fin); }

std::uint32_t Tracker::quality() const {
  std::uint32_t bits = quality_;
  if (handshake_.ambiguous(0) || handshake_.ambiguous(1)) bits |= bit_of(Quality::handshake_repeated);
  if (handshake_.ack_late()) bits |= bit_of(Quality::handshake_ack_late);
  if (handshake_.answer_late()) bits |= bit_of(Quality::repeat_hidden);
  if (handshake_.disorder()) bits |= bit_of(Quality::time_disorder);
  for (const Side& side : sides_)
    if (side.troubles && side.troubles->measures.capture_loss_octets != 0) bits |= bit_of(Quality::capture_loss);
  return bits;
}

void Tracker::start_interval() {
  for (Side& side : sides_) {
    if (side.troubles) side.troubles->measures = {};
    side.rtt = {};
    side.window_known = false;
    side.flags = 0;
  }
  for (Sender s = 0; detailed() && s < 2; ++s) sending(s).start_interval();
}

bool Tracker::Side::has_acknowledged(std::uint32_t end) const {
  return acknowledged_known && sequence_at_or_before(end, acknowledged);
}

// How far beyond what it has acknowledged the other side may send, so far as the window is known.
std::uint32_t Tracker::Side::reach() const {
  constexpr std::uint8_t kUsualShift = 8;
  return std::max(kSmallestReach, std::uint32_t{window} << (scale_known ? window_shift : kUsualShift));
}

}  // namespace probe::tcp
