#include "probe/tcp/rtt_sketch.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace probe::tcp {

bool RttCounts::add(unsigned bucket, std::uint16_t count) {
  unsigned line = bucket / kWidth, at = bucket % kWidth;
  const unsigned least = end() / kWidth < kLines ? 0 : end() / kWidth - kLines;
  if (line < least) {
    line = least;
    at = 0;
  }
  if (!uses(line)) use(line);
  std::uint16_t& c = lines_[line % kLines][at];
  c = static_cast<std::uint16_t>(std::min<std::uint32_t>(std::uint32_t{c} + count, kMost));
  return c < kMost - UINT8_MAX;
}

// Lines that are too far below count as the least value of what is kept.
void RttCounts::use(unsigned line) {
  const unsigned least = line < kLines ? 0 : line - (kLines - 1);
  std::uint32_t below = 0;
  for (unsigned n = first() / kWidth; n < least && used_ != 0; ++n) {
    if (!uses(n)) continue;
    below = std::accumulate(lines_[n % kLines].begin(), lines_[n % kLines].end(), below);
    used_ &= ~(1u << n);
  }
  used_ |= 1u << line;
  lines_[line % kLines].fill(0);
  if (below == 0) return;
  if (!uses(least)) lines_[least % kLines].fill(0);
  used_ |= 1u << least;
  std::uint16_t& c = lines_[least % kLines][0];
  c = static_cast<std::uint16_t>(std::min<std::uint32_t>(c + below, kMost - UINT8_MAX - 1));
}

// Rounded up: what was seen does not vanish.
void RttCounts::halve() {
  for (unsigned n = 0; n < static_cast<unsigned>(std::bit_width(used_)); ++n) {
    if (!uses(n)) continue;
    for (std::uint16_t& c : lines_[n % kLines]) c = static_cast<std::uint16_t>((c + 1) / 2);
  }
}

void RttSketch::start(unsigned bucket) {
  origin_ = static_cast<std::uint16_t>(bucket - std::min(bucket, kBelow));
  home_.fill(0);
}

void RttSketch::add(std::uint32_t us, RttCounts& others) {
  if (add_home(us)) return;
  constexpr std::uint8_t kHalf = 128;
  const unsigned b = RttBucket::of(us);
  bool room;
  if (b - origin_ < kWidth) {
    home_[b - origin_] = kHalf;  // kFull and this one are two halves
    room = others.add(b, kHalf);
  } else {
    room = others.add(b, 1);
  }
  if (room) return;
  others.halve();
  for (std::uint8_t& c : home_) c = static_cast<std::uint8_t>((c + 1) / 2);
}

namespace {

// The values of three ranks, told the buckets in their order.
class Ranks {
 public:
  Ranks(const RttSketch::Three& percent, std::uint32_t total) {
    for (std::size_t i = 0; i < rank_.size(); ++i)
      rank_[i] = std::max<std::uint64_t>((std::uint64_t{total} * percent[i] + 99) / 100, 1);
  }
  // True: all are found.
  bool add(unsigned bucket, std::uint32_t count) {
    up_to_ += count;
    while (up_to_ >= rank_[found_]) {
      values[found_] = RttBucket::lowest(bucket) + RttBucket::width(bucket) / 2;
      if (++found_ == values.size()) return true;
    }
    return false;
  }

  RttSketch::Three values{};

 private:
  std::array<std::uint64_t, 3> rank_;
  std::size_t found_ = 0;
  std::uint64_t up_to_ = 0;
};

// Eight counts at once.
using Word = std::uint64_t;
Word word_at(const std::uint8_t* counts) {
  static_assert(std::endian::native == std::endian::little);
  Word w;
  std::memcpy(&w, counts, sizeof w);
  return w;
}
std::uint32_t sum_of(Word w) {
  constexpr Word kEvery2nd = 0x00ff'00ff'00ff'00ff, kOnes = 0x0001'0001'0001'0001;
  return static_cast<std::uint32_t>(((w & kEvery2nd) + (w >> 8 & kEvery2nd)) * kOnes >> 48);
}

}  // namespace

RttSketch::Three RttSketch::percentiles(const Three& percent, const RttCounts* others) const {
  if (empty()) return {};
  std::uint32_t total = 0;
  for (unsigned i = 0; i < kWidth; i += sizeof(Word)) total += sum_of(word_at(&home_[i]));
  if (others && !others->empty()) return percentiles_of_all(percent, *others, total);
  Ranks ranks(percent, total);
  for (unsigned i = 0; i < kWidth; i += sizeof(Word)) {
    Word w = word_at(&home_[i]);
    for (unsigned at = i; w != 0; w >>= 8, ++at) {
      const auto empty_ones = static_cast<unsigned>(std::countr_zero(w)) / 8;
      w >>= 8 * empty_ones;
      at += empty_ones;
      if (ranks.add(origin_ + at, w & 0xff)) return ranks.values;
    }
  }
  return ranks.values;
}

RttSketch::Three RttSketch::percentiles_of_all(const Three& percent, const RttCounts& others,
                                               std::uint32_t total) const {
  for (unsigned b = others.first(); b < others.end(); ++b) total += others.at(b);
  Ranks ranks(percent, total);
  const unsigned end = std::max(others.end(), origin_ + kWidth);
  for (unsigned b = std::min<unsigned>(others.first(), origin_); b < end; ++b)
    if (ranks.add(b, at(b) + others.at(b))) break;
  return ranks.values;
}

}  // namespace probe::tcp
