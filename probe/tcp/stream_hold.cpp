// Segments that came before their turn: a ring of runs in the order of sequence numbers, none overlapping another.
#include <algorithm>
#include <cstring>
#include <new>

#include "probe/tcp/stream.h"

namespace probe::tcp {

void StreamReader::unlink_first() {
  Held* h = s_.held_->next;
  if (h == s_.held_)
    s_.held_ = nullptr;
  else
    s_.held_->next = h->next;
  --s_.held_segments_;
  if (h->has_octets) s_.held_octets_ -= h->length;
}

// False: no room. What was held until then has left the packet.
bool StreamReader::hold() {
  Held* before = nullptr;  // the last run that begins at or before the packet
  if (s_.held_ && sequence_at_or_before(s_.held_->sequence, packet_.sequence)) before = s_.held_;
  while (packet_.length > 0) {
    // Bounded: a stream holds at most StreamOptions::held_segments, and this goes round the ring once.
    while (before != s_.held_) {
      Held* h = before ? before->next : first_held();
      if (sequence_before(packet_.sequence, h->sequence)) break;
      before = h;
    }
    if (!hold_next(before)) return false;
  }
  return true;
}

bool StreamReader::hold_next(Held*& before) {
  if (before && sequence_before(packet_.sequence, before->end())) {  // the first copy wins
    const std::uint32_t both = std::min(before->end() - packet_.sequence, packet_.length);
    counters_.add(Counter::stream_octets_overlapping, both);
    drop_front(both);
    return true;
  }
  std::uint32_t n = packet_.length;
  if (const Held* after = before == s_.held_ ? nullptr : before ? before->next : first_held())
    n = std::min(n, after->sequence - packet_.sequence);
  const std::uint64_t ahead = packet_.sequence - s_.next_;
  if (s_.skipping_ && ahead < s_.skip_)
    return hold_range(before, static_cast<std::uint32_t>(std::min<std::uint64_t>(n, s_.skip_ - ahead)));
  if (packet_.data.empty()) return hold_range(before, n);  // the snap length cut them
  return hold_octets(before, static_cast<std::uint32_t>(std::min<std::size_t>(n, packet_.data.size())));
}

bool StreamReader::hold_range(Held*& before, std::uint32_t octets) {
  if (before && !before->has_octets && before->end() == packet_.sequence) {
    before->length += octets;
    before->last = std::max(before->last, packet_.time);
  } else {
    Held* h = link(before, StreamPool::kTiny, octets);
    if (!h) return false;
    h->has_octets = false;
    before = h;
  }
  drop_front(octets);
  return true;
}

bool StreamReader::hold_octets(Held*& before, std::uint32_t octets) {
  if (s_.held_octets_ + octets > pool_.options.held_octets) {
    counters_.add(Counter::stream_hold_limit);
    return false;
  }
  const bool small = octets <= StreamPool::held_room(StreamPool::kSmall);
  const auto size_class = small ? StreamPool::kSmall : StreamPool::kMedium;
  const auto n = std::min(octets, static_cast<std::uint32_t>(StreamPool::held_room(size_class)));
  Held* h = link(before, size_class, n);
  if (!h) return false;
  h->has_octets = true;
  std::memcpy(h->octets(), packet_.data.data(), n);
  s_.held_octets_ += n;
  counters_.add(Counter::stream_segments_held);
  before = h;
  drop_front(n);
  return true;
}

// A new run behind `before` (nullptr: in front of all), for the front of the packet.
Held* StreamReader::link(Held* before, std::uint8_t size_class, std::uint32_t octets) {
  if (s_.held_segments_ >= pool_.options.held_segments) {
    counters_.add(Counter::stream_hold_limit);
    return nullptr;
  }
  void* block = pool_.take(size_class);
  if (!block) {
    counters_.add(Counter::stream_pool_empty);
    return nullptr;
  }
  auto* h = new (block) Held{nullptr, packet_.sequence, octets, packet_.time, packet_.time, false, size_class};
  if (!s_.held_) {
    h->next = s_.held_ = h;
  } else {
    Held* ahead = before ? before : s_.held_;
    h->next = ahead->next;
    ahead->next = h;
    if (before == s_.held_) s_.held_ = h;
  }
  ++s_.held_segments_;
  return h;
}

}  // namespace probe::tcp
