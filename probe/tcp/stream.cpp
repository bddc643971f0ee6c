#include "probe/tcp/stream.h"

#include <algorithm>
#include <cassert>

namespace probe::tcp {

namespace {
// A segment farther ahead than any window allows (RFC 7323 §2.3) belongs to no stream that we follow.
constexpr std::int32_t kFarthest = 1 << 30;
// Nor does an acknowledgement so far ahead of everything that was seen.
constexpr std::int32_t kFarthestUnseen = 1 << 24;
constexpr Nanos kAllowance = 10 * kMillisecond;
}  // namespace

void Stream::release(StreamPool& pool) {
  if (kept_) pool.give(kept_, kept_->size_class);
  kept_ = nullptr;
  if (!held_) return;
  Held* h = held_->next;
  held_->next = nullptr;
  while (h) {
    Held* after = h->next;
    pool.give(h, h->size_class);
    h = after;
  }
  held_ = nullptr;
  held_octets_ = 0;
  held_segments_ = 0;
}

void StreamReader::segment(const Segment& s) {
  if (s_.ended_) return counters_.add(Counter::stream_segments_after_end);
  if (!s_.started_) s_.start(s.sequence);
  const std::int32_t ahead = sequence_distance(s_.next_, s.sequence);
  if (ahead > kFarthest || ahead < -kFarthest || s.length > static_cast<std::uint32_t>(kFarthest))
    return counters_.add(Counter::stream_segments_astray);
  if (s.fin && !s_.fin_known_ && std::int64_t{ahead} + s.length >= 0) {
    s_.fin_known_ = true;
    s_.fin_ = s.sequence + s.length;
  }
  packet_ = s;
}

void StreamReader::acknowledged(std::uint32_t sequence, Nanos now, bool answer) {
  const std::int32_t ahead = sequence_distance(s_.next_, sequence);
  if (s_.ended_ || ahead <= 0 || ahead > (s_.has_hole() ? kFarthest : kFarthestUnseen)) return;
  const bool first = s_.suspect_ == Stream::kNever;
  if (first || sequence_before(s_.acknowledged_, sequence)) s_.acknowledged_ = sequence;
  if (first) s_.suspect_ = now;
  if (is_lost(now, answer ? Evidence::answer : Evidence::acknowledgement)) lose_to(s_.acknowledged_);
}

void StreamReader::finish(bool told) {
  finishing_ = true;
  told_ = told;
}

bool StreamReader::next(Piece& p) {
  if (s_.ended_) return false;
  for (;;) {
    if (s_.skipping_) {
      if (pass_over()) return tell_passed(p);
    } else if (enough()) {
      return offer(p);
    } else if (!now_.empty() && !keep()) {
      return tell_gap(p);
    }
    switch (advance()) {
      case Found::octets:
        break;
      case Found::gap:
        return tell_gap(p);
      case Found::nothing:
        if (!hold_or_lose()) return false;
        break;
      case Found::end:
        if (final_ || s_.skipping_ || kept_octets() == 0) return tell_end(p);
        final_ = true;
        break;
    }
  }
}

// Finds the octets that are next in order and puts them into now_, which is empty.
StreamReader::Found StreamReader::advance() {
  free_drained();
  if (s_.fin_known_ && sequence_at_or_before(s_.fin_, s_.next_)) return Found::end;
  if (const std::int32_t behind = sequence_distance(packet_.sequence, s_.next_); packet_.length > 0 && behind > 0) {
    const std::uint32_t repeated = std::min(static_cast<std::uint32_t>(behind), packet_.length);
    counters_.add(Counter::stream_octets_repeated, repeated);
    drop_front(repeated);
  }
  Held* h = first_held();
  if (h && sequence_at_or_before(h->sequence, s_.next_)) return take_held(h);
  if (packet_.length > 0 && packet_.sequence == s_.next_) return take_packet(h);
  return take_hole();
}

StreamReader::Found StreamReader::take_held(Held* h) {
  s_.suspect_ = Stream::kNever;
  const std::uint32_t used = std::min(s_.next_ - h->sequence, h->length);
  if (h->has_octets) {
    unlink_first();
    draining_ = h;
    now_ = Bytes(h->octets(), h->length).subspan(used);
    first_ = h->first;
    last_ = h->last;
    s_.last_ = std::max(s_.last_, h->last);
    return Found::octets;
  }
  std::uint32_t taken = 0;
  const Found found = take_range(h->length - used, h->first, h->last, taken);
  if (used + taken == h->length) {
    unlink_first();
    free_held(h);
  }
  return found;
}

StreamReader::Found StreamReader::take_packet(const Held* first) {
  s_.suspect_ = Stream::kNever;
  std::uint32_t n = packet_.length;
  if (first) n = std::min(n, first->sequence - s_.next_);  // the first copy of what both have is the held one
  if (packet_.data.empty()) {
    std::uint32_t taken = 0;
    const Found found = take_range(n, packet_.time, packet_.time, taken);
    drop_front(taken);
    return found;
  }
  now_ = packet_.data.first(std::min<std::size_t>(n, packet_.data.size()));
  first_ = last_ = packet_.time;
  s_.last_ = std::max(s_.last_, packet_.time);
  drop_front(static_cast<std::uint32_t>(now_.size()));
  return Found::octets;
}

// Octets that passed but are not here: harmless as far as a skip goes, which then ends first; a gap otherwise.
StreamReader::Found StreamReader::take_range(std::uint32_t octets, Nanos first, Nanos last, std::uint32_t& taken) {
  if (s_.skipping_) {
    taken = static_cast<std::uint32_t>(std::min<std::uint64_t>(octets, s_.skip_));
    if (s_.skip_ != Stream::kToTheEnd) s_.skip_ -= taken;
    s_.next_ += taken;
    s_.skipped(first);
    s_.skipped(last);
    return Found::octets;
  }
  taken = octets;
  s_.next_ += octets;
  gap_ = octets;
  return Found::gap;
}

// Octets that are missing before the next ones that are here (or before the FIN).
bool StreamReader::boundary(std::uint32_t& octets) const {
  bool found = false;
  const auto consider = [&](std::uint32_t sequence) {
    const std::uint32_t n = sequence - s_.next_;
    octets = found ? std::min(octets, n) : n;
    found = true;
  };
  if (const Held* h = first_held()) consider(h->sequence);
  if (packet_.length > 0) consider(packet_.sequence);
  if (s_.fin_known_) consider(s_.fin_);
  return found;
}

StreamReader::Found StreamReader::take_hole() {
  std::uint32_t octets = 0;
  const bool bounded = boundary(octets);
  if (!bounded && finishing_) return Found::end;
  const bool to_the_end = s_.skipping_ && s_.skip_ == Stream::kToTheEnd;
  if (!bounded || !(finishing_ || to_the_end)) {
    const std::int32_t lost = losing_ ? sequence_distance(s_.next_, lost_to_) : 0;
    if (lost <= 0) return Found::nothing;
    octets = bounded ? std::min(octets, static_cast<std::uint32_t>(lost)) : static_cast<std::uint32_t>(lost);
  }
  s_.suspect_ = Stream::kNever;
  if (s_.skipping_ && !to_the_end) {
    octets = static_cast<std::uint32_t>(std::min<std::uint64_t>(octets, s_.skip_));
    s_.skip_ -= octets;
  }
  s_.next_ += octets;
  if (s_.skipping_) return Found::octets;
  gap_ = octets;
  return Found::gap;
}

// The packet is ahead of a hole: it is held, or the hole is given up. False: nothing more can be handed on now.
bool StreamReader::hold_or_lose() {
  if (packet_.length == 0) return false;
  const Nanos time = packet_.time;
  if (!hold()) {
    lose_to(packet_.sequence);
    return true;
  }
  if (!is_lost(time, Evidence::data)) return false;
  lose_to(s_.acknowledged_);
  return true;
}

// RFC 9293 §3.4: an acknowledgement is cumulative: what it covers has reached the receiver, and a hole in it will never
// be filled. But where two ports of a tap are read one after the other, it can be processed just before the data that
// it covers; more data behind the hole, or time, tells that this is not so. An answer must not overtake its question.
bool StreamReader::is_lost(Nanos now, Evidence evidence) const {
  if (s_.suspect_ == Stream::kNever) return false;
  std::uint32_t octets = 0;
  const bool bounded = boundary(octets);
  if (!bounded && s_.acknowledged_ - s_.next_ == 1) return false;  // a FIN that was not seen takes a number, too
  if (evidence == Evidence::answer && pool_.options.answers_prove) return true;
  const bool covered = bounded && sequence_at_or_before(s_.next_ + octets, s_.acknowledged_);
  if (covered && evidence != Evidence::acknowledgement) return true;
  return now - s_.suspect_ >= kAllowance;
}

void StreamReader::drop_front(std::uint32_t octets) {
  packet_.sequence += octets;
  packet_.length -= octets;
  packet_.data = packet_.data.subspan(std::min<std::size_t>(octets, packet_.data.size()));
}

}  // namespace probe::tcp
