#include "probe/tcp/rtt_sketch.h"

#include <algorithm>
#include <numeric>

namespace probe::tcp {

void RttSketch::start(unsigned bucket) {
  origin_ = static_cast<std::uint16_t>(bucket - std::min(bucket, kBelow));
  used_ = 1u << kHome;
  home_.fill(0);
}

void RttSketch::add(std::uint32_t us, Others& others) {
  if (empty()) start(bucket(us));
  const int ahead = static_cast<int>(bucket(us)) - origin_;
  const int wanted = kHome + (ahead >> 5), n = make_room_for(wanted, others);
  // Lines below all that are kept share the least bucket; where room was made above, home_ may be another line now.
  const unsigned at = wanted < lowest() && n != wanted ? 0 : static_cast<unsigned>(ahead) % kWidth;
  std::uint16_t& count = line(n, others)[at];
  if (++count == kMostCounted) halve(others);
}

// The line where a sample of this one counts, which may be a higher one. Numbers change if home_ does.
int RttSketch::make_room_for(int n, Others& others) {
  constexpr int kBehind = kLines - 1;
  if (uses(n)) return n;
  n = std::max(n, highest() - kBehind);
  if (uses(n)) return n;
  const int least = n - kBehind;
  if (lowest() < least) {
    move_up(least, others);
    for (int above = least; above > kHome; above -= int{kLines}) n -= int{kLines};
  }
  line(n, others).fill(0);
  used_ |= 1u << n;
  return n;
}

// Lines below `least` are counted as its least value.
void RttSketch::move_up(int least, Others& others) {
  std::uint32_t below = 0;
  for (int n = lowest(); n < least && used_ != 0; n = used_ != 0 ? lowest() : least) {
    const Line& l = line(n, others);
    below = std::accumulate(l.begin(), l.end(), below);
    used_ &= ~(1u << n);
  }
  for (; least > kHome; least -= int{kLines}) {  // home_ is free: it becomes the line that shares its place
    origin_ = static_cast<std::uint16_t>(origin_ + kLines * kWidth);
    used_ >>= kLines;
  }
  if (!uses(least)) line(least, others).fill(0);
  used_ |= 1u << least;
  std::uint16_t& count = line(least, others)[0];
  count = static_cast<std::uint16_t>(std::min<std::uint32_t>(count + below, kMostCounted - 1));
}

// Rounded up: what was seen does not vanish.
void RttSketch::halve(Others& others) {
  for (int n = lowest(); n <= highest(); ++n) {
    if (!uses(n)) continue;
    for (std::uint16_t& c : line(n, others)) c = static_cast<std::uint16_t>((c + 1) / 2);
  }
}

RttSketch::Three RttSketch::percentiles(const Three& percent, const Others* others) const {
  Three out{};
  if (empty()) return out;
  const auto counts_of = [&](int n) -> const Line& { return n == kHome ? home_ : (*others)[place_of(n) - 1]; };
  std::uint32_t total = 0;  // of at most 160 buckets
  for (int n = lowest(); n <= highest(); ++n)
    if (uses(n)) total = std::accumulate(counts_of(n).begin(), counts_of(n).end(), total);
  std::array<std::uint64_t, 3> rank;
  for (std::size_t i = 0; i < rank.size(); ++i)
    rank[i] = std::max<std::uint64_t>((std::uint64_t{total} * percent[i] + 99) / 100, 1);
  std::size_t found = 0;
  std::uint32_t up_to = 0;
  for (int n = lowest(); n <= highest(); ++n) {
    for (unsigned at = 0; uses(n) && at < kWidth; ++at) {
      up_to += counts_of(n)[at];
      if (up_to < rank[found]) continue;
      const auto b = static_cast<unsigned>(origin_ + (n - kHome) * int{kWidth} + static_cast<int>(at));
      const std::uint32_t value = lowest_of(b) + width_of(b) / 2;
      while (found < out.size() && up_to >= rank[found]) out[found++] = value;
      if (found == out.size()) return out;
    }
  }
  return out;
}

}  // namespace probe::tcp
