// Percentiles of round trips from a few counts: buckets of a sixteenth of an octave, so that none is wider than 6.25 %.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace probe::tcp {

// The bucket of a round trip: its leading bit and the four behind it.
struct RttBucket {
  static constexpr unsigned of(std::uint32_t us) {
    if (us < 16) return us;
    const unsigned shift = static_cast<unsigned>(std::bit_width(us)) - 5;
    return (shift << 4) + (us >> shift);
  }
  static constexpr std::uint32_t lowest(unsigned bucket) {
    return bucket < 32 ? bucket : (16 + (bucket & 15u)) << ((bucket >> 4) - 1);
  }
  static constexpr std::uint32_t width(unsigned bucket) { return bucket < 32 ? 1 : 1u << ((bucket >> 4) - 1); }
};

// Counts for many round trips, or for such as vary widely. Five lines side by side are kept, at least a factor of 256:
// what is below the lowest of them counts as its least value.
class RttCounts {
 public:
  static constexpr unsigned kWidth = 32, kLines = 5;
  static constexpr std::uint16_t kMost = 0xffff;

  RttCounts() {}  // only lines in used_ are ever read

  // False if this bucket is full now: then all counts want to be halved.
  bool add(unsigned bucket, std::uint16_t count);
  void halve();
  void clear() { used_ = 0; }
  bool empty() const { return used_ == 0; }
  std::uint32_t at(unsigned bucket) const {
    const unsigned line = bucket / kWidth;
    return uses(line) ? lines_[line % kLines][bucket % kWidth] : 0;
  }
  // The first bucket from there on that has a count.
  static constexpr unsigned kNone = ~0u;
  unsigned next(unsigned bucket) const;
  // All counts are in [first, end); not asked if there are none.
  unsigned first() const { return static_cast<unsigned>(std::countr_zero(used_)) * kWidth; }
  unsigned end() const { return static_cast<unsigned>(std::bit_width(used_)) * kWidth; }

 private:
  bool uses(unsigned line) const { return (used_ >> line & 1) != 0; }
  void use(unsigned line);

  std::uint32_t used_ = 0;                                       // lines that hold counts: a bit each
  std::array<std::array<std::uint16_t, kWidth>, kLines> lines_;  // number n is at n modulo kLines
};

// Most round trips of a connection are alike: small counts of those from 0.35 to 5.6 times the first one share a cache
// line, and memory for others is only needed then.
class RttSketch {
 public:
  static constexpr unsigned kWidth = 64;

  // False if add() must be told instead, which needs more memory.
  bool add_home(std::uint32_t us) {
    const unsigned b = RttBucket::of(us);
    if (origin_ == kNone) start(b);
    const unsigned at = b - origin_;
    if (at >= kWidth || home_[at] == kFull) return false;
    ++home_[at];
    return true;
  }
  void add(std::uint32_t us, RttCounts& others);
  bool empty() const { return origin_ == kNone; }
  // The values that so many percent of the samples do not exceed, ascending; 0 if there are none.
  using Three = std::array<std::uint32_t, 3>;
  Three percentiles(const Three& percent, const RttCounts* others) const;
  void clear() { origin_ = kNone; }

 private:
  static constexpr std::uint16_t kNone = 0xffff;
  static constexpr std::uint8_t kFull = 0xff;
  static constexpr unsigned kBelow = 24;  // buckets of home_ below the first sample

  void start(unsigned bucket);
  unsigned next(unsigned bucket) const;  // as of RttCounts, in home_
  // Tells the buckets that have counts, here or there, in their order, until `visit` has enough.
  template <class Visit>
  void visit(const RttCounts* others, Visit&& visit) const;

  std::uint16_t origin_ = kNone;  // the bucket where home_ begins
  std::array<std::uint8_t, kWidth> home_;
};

}  // namespace probe::tcp
