// Segments of one sender that wait for their acknowledgement, to measure how long it takes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "probe/base/sequence.h"

namespace probe::tcp {

// Ordered by their end. When it is full, and there is no Backlog, only the newest makes room: the older ones give
// samples soon, and the newest one is what the receiver of a burst acknowledges. So a larger window is measured less
// often, but not wrongly.
class Outstanding {
 public:
  static constexpr unsigned kCapacity = 16;

  struct Segment {
    std::uint32_t end;
    std::uint32_t sent_us;
  };

  Outstanding() {}  // only `count_` of `segments_` are ever read: nothing else is worth clearing

  void push(std::uint32_t end, std::uint32_t now_us) {
    if (count_ < kCapacity) ++count_;
    segments_[place(count_ - 1u)] = {end, now_us};
  }

  // Drops what `acknowledged` covers. When the newest of it passed, if it ends there: all others were acknowledged
  // together with a later one and waited for it.
  std::optional<std::uint32_t> acknowledge(std::uint32_t acknowledged) {
    bool exact = false;
    std::uint32_t sent_us = 0;
    while (count_ != 0 && sequence_at_or_before(segments_[first_].end, acknowledged)) {
      exact = segments_[first_].end == acknowledged;
      sent_us = segments_[first_].sent_us;
      if (++first_ == kCapacity) first_ = 0;
      --count_;
    }
    if (count_ == 0) first_ = 0;  // the few of most connections stay in one cache line
    return exact ? std::optional(sent_us) : std::nullopt;
  }

  // When the one that ends there passed, if it waits.
  std::optional<std::uint32_t> find(std::uint32_t end) const {
    for (unsigned i = 0; i < count_; ++i)
      if (const Segment& s = segments_[place(i)]; s.end == end) return s.sent_us;
    return std::nullopt;
  }

  // Drops those that end behind `sequence`, because it was sent again: which copy an acknowledgement answers is not
  // known (Karn), and the segments behind it wait for it at the receiver.
  void forget_behind(std::uint32_t sequence) {
    while (count_ != 0 && sequence_before(sequence, segments_[place(count_ - 1u)].end)) --count_;
  }

  void clear() { count_ = 0; }
  const void* segments() const { return segments_.data(); }  // for prefetching
  bool empty() const { return count_ == 0; }
  bool full() const { return count_ == kCapacity; }
  bool any_ends_by(std::uint32_t sequence) const {
    return count_ != 0 && sequence_at_or_before(segments_[first_].end, sequence);
  }

 private:
  unsigned place(unsigned nth) const {
    const unsigned i = first_ + nth;
    return i < kCapacity ? i : i - kCapacity;
  }

  std::uint8_t first_ = 0, count_ = 0;
  std::array<Segment, kCapacity> segments_;
};

}  // namespace probe::tcp
