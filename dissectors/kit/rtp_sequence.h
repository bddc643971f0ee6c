// Sequence numbers of one stream: what is expected, lost, late and repeated (RFC 3550 A.1, A.3).
#pragma once

#include <cstdint>

namespace probe::rtp {

class Sequence {
 public:
  enum class Place : std::uint8_t {
    next,       // as expected, or ahead of it
    late,       // fills a hole
    duplicate,  // seen already
    stray,      // far off, or too late to be judged
    restart     // the numbers have begun anew with the packet before
  };
  Place on_packet(std::uint16_t number);

  // Of an interval. Runs are counted once nothing can fill them any more.
  struct Counts {
    std::uint32_t received = 0;  // all of them
    std::uint32_t distinct = 0;
    std::uint32_t expected = 0;
    std::uint32_t duplicates = 0, reordered = 0, reorder_max = 0, strays = 0, restarts = 0;
    std::uint32_t bursts = 0, burst_max = 0, burst_lost = 0;
    std::uint32_t lost() const { return expected > distinct ? expected - distinct : 0; }
  };
  const Counts& counts() const { return counts_; }
  std::uint16_t first() const { return first_; }
  std::uint16_t highest() const { return highest_; }
  // By how much the last packet was ahead of what was the highest number; 0: it was not.
  std::uint16_t step() const { return step_; }
  // Since the beginning: expected less received, as a receiver reports it (RFC 3550 A.3).
  std::int64_t cumulative_lost() const {
    return lost_before_ + std::int64_t{counts_.expected} - std::int64_t{counts_.received - counts_.strays};
  }
  bool begun() const { return known_ > 0; }

  void start_interval();
  // Nothing comes any more: what is missing now is lost.
  void finish();

 private:
  __extension__ using Window = unsigned __int128;
  static constexpr unsigned kWindow = 128;             // RFC 3550 A.1: MAX_MISORDER is 100
  static constexpr std::uint16_t kMostDropout = 3000;  // MAX_DROPOUT
  static constexpr std::uint32_t kNone = 0x10000;

  void begin(std::uint16_t number, unsigned packets);
  void advance(std::uint16_t by);
  Place step_back(unsigned by);
  Place jump(std::uint16_t number);
  void leave(unsigned numbers);
  void lose(std::uint32_t numbers);

  Window seen_ = 0;  // bit i: `highest_` - i has come
  Counts counts_;
  std::int64_t lost_before_ = 0;         // intervals before this one
  std::uint32_t run_ = 0;                // of lost packets that has not ended
  std::uint32_t expected_jump_ = kNone;  // RFC 3550 A.1: bad_seq
  std::uint16_t first_ = 0, highest_ = 0, step_ = 0;
  std::uint8_t known_ = 0;  // numbers of `seen_` that belong to the stream
};

}  // namespace probe::rtp
