// Percentiles of round trips from a few counts: buckets of a sixteenth of an octave, so that none is wider than 6.25 %.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace probe::tcp {

// Most round trips of a connection are alike: those from 0.7 to 2.8 times the first one share a cache line, and the
// counts of others lie elsewhere, in memory that is only needed then. Five lines side by side are kept, a factor of
// 1024: what is below the lowest of them counts as its least value.
class RttSketch {
 public:
  static constexpr unsigned kWidth = 32, kLines = 5;
  static constexpr std::uint16_t kMostCounted = 0xffff;  // of a bucket: then all counts are halved
  using Line = std::array<std::uint16_t, kWidth>;
  using Others = std::array<Line, kLines - 1>;  // not initialised before it is used

  // The bucket of a round trip: its leading bit and the four behind it.
  static constexpr unsigned bucket(std::uint32_t us) {
    if (us < 16) return us;
    const unsigned shift = static_cast<unsigned>(std::bit_width(us)) - 5;
    return (shift << 4) + (us >> shift);
  }
  static constexpr std::uint32_t lowest_of(unsigned bucket) {
    if (bucket < 32) return bucket;
    return (16 + (bucket & 15u)) << ((bucket >> 4) - 1);
  }
  static constexpr std::uint32_t width_of(unsigned bucket) { return bucket < 32 ? 1 : 1u << ((bucket >> 4) - 1); }

  // False if it must be told to add() instead: it lies elsewhere, or a count is full.
  bool add_home(std::uint32_t us) {
    const unsigned b = bucket(us);
    if (origin_ == kNone) start(b);
    const unsigned at = b - origin_;
    if (at >= kWidth || home_[at] >= kMostCounted - 1) return false;
    ++home_[at];
    return true;
  }
  void add(std::uint32_t us, Others&);
  bool empty() const { return origin_ == kNone; }
  // The values that so many percent of the samples do not exceed, ascending; 0 if there are none.
  using Three = std::array<std::uint32_t, 3>;
  Three percentiles(const Three& percent, const Others* others) const;
  void clear() {
    origin_ = kNone;
    used_ = 0;
  }

 private:
  static constexpr std::uint16_t kNone = 0xffff;
  static constexpr unsigned kBelow = 8;  // buckets of the first sample's line that lie below it
  static constexpr int kHome = 16;       // bit of used_ of the line in home_

  void start(unsigned bucket);
  int make_room_for(int line, Others&);
  void move_up(int least, Others&);
  void halve(Others&);
  int lowest() const { return std::countr_zero(used_); }
  int highest() const { return std::bit_width(used_) - 1; }
  bool uses(int line) const { return (used_ >> line & 1) != 0; }
  Line& line(int n, Others& others) {
    const std::size_t place = place_of(n);
    return place == 0 ? home_ : others[place - 1];
  }
  // Lines side by side never share a place.
  static std::size_t place_of(int n) { return static_cast<std::size_t>(n - kHome + 4 * int{kLines}) % kLines; }

  std::uint16_t origin_ = kNone;  // the bucket where home_ begins
  Line home_;                     // of the first sample, until greater ones take its place
  std::uint32_t used_ = 0;        // lines that hold counts, by their distance from home_
};

}  // namespace probe::tcp
