// What a worker that cannot keep up leaves out: by flows that it does not begin, never by packets of those it has.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "probe/base/counters.h"
#include "probe/base/pages.h"
#include "probe/base/prefetch.h"
#include "probe/packet/packet.h"

namespace probe {

struct SheddingOptions {
  std::size_t flows = 0;      // that are remembered; 0: nothing is ever shed
  std::uint64_t sampled = 1;  // one in so many flows is measured anyway
  Nanos tcp_idle = 60 * kSecond, other_idle = 30 * kSecond;
  // A flow that goes on for ever is measured again after so long.
  Nanos longest = 300 * kSecond;
};

// Level 0: everything is measured. 1: payload of new flows is not looked at. From 2 on half of the flows of the level
// before are begun, and no dissection; the choice is by the flow's lot (sampling.h), so both directions agree, and
// flows that are in the table stay. A flow that was shed is remembered while packets of it come, so that none is
// measured from its middle when the load has fallen.
class Shedding {
 public:
  static constexpr unsigned kFirstHalf = 2;  // the level that begins one flow in two

  Shedding(const SheddingOptions&, Counters&);

  void set_level(unsigned level);
  unsigned level() const { return level_; }
  bool dissects() const { return level_ == 0; }
  // How often the sample of flows has been halved.
  static constexpr unsigned halvings_of(unsigned level) { return level < kFirstHalf ? 0 : level - kFirstHalf + 1; }
  unsigned halvings() const { return halvings_of(level_); }

  // False: every flow is begun. Otherwise judge() knows.
  bool active() const { return active_; }
  enum class Verdict : std::uint8_t {
    whole,   // to be begun with this packet
    joined,  // to be begun, but there may have been earlier packets
    shed     // not to be begun; counted
  };
  // Of a packet whose flow is not in the table.
  Verdict judge(const Packet&);

  // For who sees packets before the flow table does, if active(): a flow is shed from its SYN on; what it cannot know
  // to begin here passes, and is judged where the table is.
  bool sheds_from_syn(const Packet&);
  void prefetch(const Packet& p) const { probe::prefetch(&bucket_of(p)); }

  // All flows have ended, and their time with them.
  void forget();

  std::size_t octets() const { return pages_.octets(); }

 private:
  static constexpr std::size_t kWays = 5;
  // Flows that were shed, by parts of their hash; times in ticks. Ways that were never used have first == last == 0.
  struct alignas(64) Bucket {
    std::array<std::uint32_t, kWays> who, first, last;  // the lowest bit of `who`: TCP
    std::uint32_t forgot;  // when one had to make room that may still have been there; 0: never
  };
  static std::uint32_t ticks(Nanos n) { return static_cast<std::uint32_t>(static_cast<std::uint64_t>(n) >> 20); }
  std::uint32_t idle_of(std::uint32_t who) const { return (who & 1) != 0 ? tcp_idle_ : other_idle_; }
  // Nobody has been shed for so long that nobody is remembered.
  bool is_over(std::uint32_t now) const;
  // Where in its bucket the flow is remembered; kWays: it is not.
  std::size_t way_of(const Packet&, const Bucket&) const;
  Verdict judge_again(const Packet&, Bucket&, std::size_t way);
  Verdict shed(std::uint32_t now);
  void remember(std::uint32_t who, std::uint32_t now, Bucket&);
  Bucket& bucket_of(const Packet& p) const { return buckets_[p.hash & bucket_mask_]; }
  std::uint32_t name_of(const Packet& p) const;

  Counters& counters_;
  const std::uint64_t all_lots_;  // of what is measured without shedding
  const std::uint32_t tcp_idle_, other_idle_, longest_;
  std::size_t bucket_mask_ = 0;
  Pages pages_;
  Bucket* const buckets_;
  std::uint64_t lots_;
  unsigned level_ = 0;
  bool active_ = false;
  std::uint64_t episode_ = 0;     // what an earlier one remembered does not count any more
  std::uint32_t remembered_ = 0;  // when a flow was shed last
};

}  // namespace probe
