#include "probe/flow/shedding.h"

#include <algorithm>
#include <bit>

#include "probe/base/hash.h"
#include "probe/packet/sampling.h"

namespace probe {
namespace {

// Ticks since then; what is not in order is as if it were now.
std::uint32_t age(std::uint32_t now, std::uint32_t then) {
  const auto n = static_cast<std::int32_t>(now - then);
  return n < 0 ? 0 : static_cast<std::uint32_t>(n);
}

bool opens_connection(const Packet& p) { return p.is_tcp() && p.tcp.has(tcp_flag::kSyn) && !p.tcp.has(tcp_flag::kAck); }

}  // namespace

Shedding::Shedding(const SheddingOptions& o, Counters& counters)
    : counters_(counters),
      all_lots_(last_lot(o.sampled)),
      tcp_idle_(ticks(o.tcp_idle)),
      other_idle_(ticks(o.other_idle)),
      longest_(ticks(o.longest)),
      bucket_mask_(std::bit_ceil(std::max<std::size_t>(o.flows / (kWays - 1), 1)) - 1),
      pages_(o.flows == 0 ? 0 : (bucket_mask_ + 1) * sizeof(Bucket), PageSize::huge),
      buckets_(reinterpret_cast<Bucket*>(pages_.begin())),
      lots_(all_lots_) {}

void Shedding::set_level(unsigned level) {
  if (!buckets_) return;
  level_ = level;
  lots_ = all_lots_ >> std::min(halvings(), 63u);
  if (active_ || halvings() == 0) return;
  active_ = true;
  ++episode_;
}

std::uint32_t Shedding::name_of(const Packet& p) const {
  return (static_cast<std::uint32_t>(mix(p.hash, episode_) >> 32) & ~1u) | (p.is_tcp() ? 1u : 0u);
}

bool Shedding::is_over(std::uint32_t now) const {
  return halvings() == 0 && age(now, remembered_) > std::max(tcp_idle_, other_idle_);
}

std::size_t Shedding::way_of(const Packet& p, const Bucket& b) const {
  const std::uint32_t now = ticks(p.time), name = name_of(p);
  std::size_t w = 0;
  while (w < kWays && !(b.who[w] == name && (b.first[w] | b.last[w]) != 0 && age(now, b.last[w]) <= idle_of(name))) ++w;
  return w;
}

Shedding::Verdict Shedding::judge(const Packet& p) {
  const std::uint32_t now = ticks(p.time);
  if (is_over(now)) {
    active_ = false;
    return Verdict::whole;
  }
  Bucket& b = bucket_of(p);
  const std::uint32_t name = name_of(p);
  if (const std::size_t way = way_of(p, b); way < kWays) return judge_again(p, b, way);
  if (lot_of_flow(p.hash) > lots_) {
    counters_.add(Counter::shed_flows);
    remember(name, now, b);
    return shed(now);
  }
  // Begun by a SYN, or when nothing has been forgotten that may have been it: its beginning is here.
  if (opens_connection(p) || b.forgot == 0 || age(now, b.forgot) > idle_of(name)) return Verdict::whole;
  counters_.add(Counter::shed_flows_joined);
  return Verdict::joined;
}

bool Shedding::sheds_from_syn(const Packet& p) {
  if (!p.is_tcp()) return false;
  const std::uint32_t now = ticks(p.time);
  if (is_over(now)) {
    active_ = false;
    return false;
  }
  Bucket& b = bucket_of(p);
  if (const std::size_t way = way_of(p, b); way < kWays) return judge_again(p, b, way) == Verdict::shed;
  if (!opens_connection(p) || lot_of_flow(p.hash) <= lots_) return false;
  counters_.add(Counter::shed_flows);
  remember(name_of(p), now, b);
  shed(now);
  return true;
}

// A flow that was shed before stays so, but not for ever.
Shedding::Verdict Shedding::judge_again(const Packet& p, Bucket& b, std::size_t way) {
  const std::uint32_t now = ticks(p.time);
  if (age(now, b.first[way]) < longest_ || lot_of_flow(p.hash) > lots_) {
    b.last[way] = std::max<std::uint32_t>(now, 1);
    return shed(now);
  }
  b.first[way] = b.last[way] = 0;
  counters_.add(Counter::shed_flows_joined);
  return Verdict::joined;
}

Shedding::Verdict Shedding::shed(std::uint32_t now) {
  remembered_ = now;
  counters_.add(Counter::shed_packets);
  return Verdict::shed;
}

void Shedding::forget() {
  ++episode_;
  active_ = halvings() > 0;
}

void Shedding::remember(std::uint32_t who, std::uint32_t now, Bucket& b) {
  const auto is_free = [&](std::size_t w) {
    return (b.first[w] | b.last[w]) == 0 || age(now, b.last[w]) > idle_of(b.who[w]);
  };
  std::size_t way = 0;  // a free one, or the oldest
  for (std::size_t w = 1; w < kWays && !is_free(way); ++w)
    if (is_free(w) || age(now, b.last[w]) > age(now, b.last[way])) way = w;
  if (!is_free(way)) b.forgot = std::max<std::uint32_t>(now, 1);
  b.who[way] = who;
  b.first[way] = b.last[way] = std::max<std::uint32_t>(now, 1);
}

}  // namespace probe
