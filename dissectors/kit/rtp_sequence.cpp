#include "dissectors/kit/rtp_sequence.h"

#include <algorithm>

namespace probe::rtp {

Sequence::Place Sequence::on_packet(std::uint16_t number) {
  ++counts_.received;
  step_ = 0;
  if (!begun()) {
    first_ = number;
    begin(number, 1);
    return Place::next;
  }
  const auto ahead = static_cast<std::uint16_t>(number - highest_);
  if (ahead > 0 && ahead < kMostDropout) {
    advance(ahead);
    return Place::next;
  }
  const auto behind = static_cast<std::uint16_t>(highest_ - number);
  return behind < kWindow ? step_back(behind) : jump(number);
}

// `packets`: the last of them is `number`.
void Sequence::begin(std::uint16_t number, unsigned packets) {
  highest_ = number;
  known_ = static_cast<std::uint8_t>(packets);
  seen_ = (Window{1} << packets) - 1;
  run_ = 0;
  expected_jump_ = kNone;
  counts_.expected += packets;
  counts_.distinct += packets;
}

void Sequence::advance(std::uint16_t by) {
  leave(by);
  highest_ = static_cast<std::uint16_t>(highest_ + by);
  seen_ |= 1;
  step_ = by;
  expected_jump_ = kNone;
  counts_.expected += by;
  ++counts_.distinct;
}

Sequence::Place Sequence::step_back(unsigned by) {
  if (by >= known_) {
    // Sent before the first packet that passed: the stream begins with it, if it can only just have been overtaken.
    constexpr unsigned kMostOvertaken = 4;
    if (by - known_ >= kMostOvertaken || counts_.restarts > 0) {
      ++counts_.strays;
      return Place::stray;
    }
    counts_.expected += by - known_ + 1;
    known_ = static_cast<std::uint8_t>(by + 1);
    first_ = static_cast<std::uint16_t>(highest_ - by);
  } else if (seen_ >> by & 1) {
    ++counts_.duplicates;
    return Place::duplicate;
  }
  seen_ |= Window{1} << by;
  ++counts_.distinct;
  ++counts_.reordered;
  counts_.reorder_max = std::max(counts_.reorder_max, by);
  return Place::late;
}

// RFC 3550 A.1: two in a row, far off, and the sender has begun anew.
Sequence::Place Sequence::jump(std::uint16_t number) {
  if (number != expected_jump_) {
    expected_jump_ = static_cast<std::uint16_t>(number + 1);
    ++counts_.strays;
    return Place::stray;
  }
  finish();
  begin(number, 2);
  if (counts_.strays > 0) --counts_.strays;  // that was the packet before
  ++counts_.restarts;
  return Place::restart;
}

// The oldest numbers leave the window: what has not come by now is lost.
void Sequence::leave(unsigned numbers) {
  const unsigned out = std::min(numbers, kWindow);
  for (unsigned i = 0; i < out; ++i) {
    if (known_ == kWindow) {
      if (seen_ >> (kWindow - 1) & 1)
        run_ = 0;
      else
        lose(1);
    } else {
      ++known_;
    }
    seen_ <<= 1;
  }
  if (numbers > kWindow) lose(numbers - kWindow);
}

void Sequence::lose(std::uint32_t numbers) {
  if (run_ == 0) ++counts_.bursts;
  run_ += numbers;
  counts_.burst_lost += numbers;
  counts_.burst_max = std::max(counts_.burst_max, run_);
}

void Sequence::start_interval() {
  lost_before_ = cumulative_lost();
  counts_ = {};
  first_ = static_cast<std::uint16_t>(highest_ + 1);
}

void Sequence::finish() {
  for (unsigned i = known_; i-- > 0;) {
    if (seen_ >> i & 1)
      run_ = 0;
    else
      lose(1);
  }
  known_ = 0;
}

}  // namespace probe::rtp
