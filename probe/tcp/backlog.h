// Further segments that wait for their acknowledgement, behind those of Outstanding: for senders with many under way.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "probe/base/sequence.h"
#include "probe/tcp/outstanding.h"

namespace probe::tcp {

class Backlog {
 public:
  static constexpr unsigned kCapacity = 500;  // with Outstanding's: 730 KiB of full segments

  Backlog() {}  // only `count_` of `segments_` are ever read

  bool empty() const { return count_ == 0; }
  // False if there was no room and the newest one made it: see Outstanding.
  bool push(Outstanding::Segment s) {
    const bool room = count_ < kCapacity;
    if (room) ++count_;
    segments_[place(count_ - 1u)] = s;
    return room;
  }
  Outstanding::Segment pop() {
    const Outstanding::Segment oldest = segments_[first_];
    first_ = static_cast<std::uint16_t>(place(1));
    --count_;
    return oldest;
  }
  // When the one that ends there passed, if it waits.
  std::optional<std::uint32_t> find(std::uint32_t end) const {
    unsigned low = 0, high = count_;  // those before `low` end earlier
    while (low < high) {
      const unsigned middle = (low + high) / 2;
      if (sequence_before(segments_[place(middle)].end, end))
        low = middle + 1;
      else
        high = middle;
    }
    if (low == count_ || segments_[place(low)].end != end) return std::nullopt;
    return segments_[place(low)].sent_us;
  }
  void forget_behind(std::uint32_t sequence) {
    while (count_ != 0 && sequence_before(sequence, segments_[place(count_ - 1u)].end)) --count_;
  }

 private:
  unsigned place(unsigned nth) const {
    const unsigned i = first_ + nth;
    return i < kCapacity ? i : i - kCapacity;
  }

  std::uint16_t first_ = 0, count_ = 0;
  std::array<Outstanding::Segment, kCapacity> segments_;
};

}  // namespace probe::tcp
