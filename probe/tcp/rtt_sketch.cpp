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

// The first of `counts` from `at` on that is not 0, looked for some at once; their number if there is none.
template <class Count, std::size_t N>
unsigned next_of(const std::array<Count, N>& counts, unsigned at) {
  static_assert(std::endian::native == std::endian::little);
  using Word = std::uint64_t;
  constexpr unsigned kAtOnce = sizeof(Word) / sizeof(Count), kBits = 8 * sizeof(Count);
  static_assert(N % kAtOnce == 0);
  while (at < N) {
    Word w;
    std::memcpy(&w, &counts[at / kAtOnce * kAtOnce], sizeof w);
    w >>= at % kAtOnce * kBits;
    if (w != 0) return at + static_cast<unsigned>(std::countr_zero(w)) / kBits;
    at = (at / kAtOnce + 1) * kAtOnce;
  }
  return N;
}

}  // namespace

unsigned RttCounts::next(unsigned bucket) const {
  for (unsigned line = bucket / kWidth, at = bucket % kWidth; line * kWidth < end(); ++line, at = 0) {
    if (!uses(line)) continue;
    if (const unsigned found = next_of(lines_[line % kLines], at); found < kWidth) return line * kWidth + found;
  }
  return kNone;
}

unsigned RttSketch::next(unsigned bucket) const {
  if (bucket - origin_ >= kWidth) return RttCounts::kNone;
  const unsigned found = next_of(home_, bucket - origin_);
  return found < kWidth ? origin_ + found : RttCounts::kNone;
}

template <class Visit>
void RttSketch::visit(const RttCounts* others, Visit&& visit) const {
  unsigned here = next(origin_), there = others && !others->empty() ? others->next(others->first()) : RttCounts::kNone;
  while (std::min(here, there) != RttCounts::kNone) {
    const unsigned b = std::min(here, there);
    std::uint32_t count = 0;
    if (b == here) {
      count = home_[b - origin_];
      here = next(b + 1);
    }
    if (b == there) {
      count += others->at(b);
      there = others->next(b + 1);
    }
    if (visit(b, count)) return;
  }
}

RttSketch::Three RttSketch::percentiles(const Three& percent, const RttCounts* others) const {
  if (empty()) return {};
  std::uint32_t total = 0;
  visit(others, [&](unsigned, std::uint32_t count) {
    total += count;
    return false;
  });
  Ranks ranks(percent, total);
  visit(others, [&](unsigned bucket, std::uint32_t count) { return ranks.add(bucket, count); });
  return ranks.values;
}

}  // namespace probe::tcp
