#include "probe/tcp/rtt_sketch.h"

#include <algorithm>
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

// The values of three ranks among the counts of the buckets [first, end).
template <class Count>
RttSketch::Three values_of(const RttSketch::Three& percent, unsigned first, unsigned end, std::uint32_t total,
                           Count count) {
  std::array<std::uint64_t, 3> rank;
  for (std::size_t i = 0; i < rank.size(); ++i)
    rank[i] = std::max<std::uint64_t>((std::uint64_t{total} * percent[i] + 99) / 100, 1);
  RttSketch::Three out{};
  std::size_t found = 0;
  std::uint32_t up_to = 0;
  for (unsigned b = first; b < end; ++b) {
    up_to += count(b);
    if (up_to < rank[found]) continue;
    const std::uint32_t value = RttBucket::lowest(b) + RttBucket::width(b) / 2;
    while (found < out.size() && up_to >= rank[found]) out[found++] = value;
    if (found == out.size()) break;
  }
  return out;
}

}  // namespace

RttSketch::Three RttSketch::percentiles(const Three& percent, const RttCounts* others) const {
  if (empty()) return {};
  std::uint32_t total = std::accumulate(home_.begin(), home_.end(), 0u);
  const unsigned end = origin_ + kWidth;
  if (!others || others->empty())
    return values_of(percent, origin_, end, total, [this](unsigned b) { return home_[b - origin_]; });
  for (unsigned b = others->first(); b < others->end(); ++b) total += others->at(b);
  return values_of(percent, std::min<unsigned>(others->first(), origin_), std::max(others->end(), end), total,
                   [&](unsigned b) { return at(b) + others->at(b); });
}

}  // namespace probe::tcp
