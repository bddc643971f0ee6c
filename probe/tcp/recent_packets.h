// The last packets of one sender, to tell a copy made by the network or a SPAN port from one that the sender made.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "probe/base/hash.h"
#include "probe/packet/packet.h"

namespace probe::tcp {

class RecentPackets {
 public:
  static constexpr unsigned kCapacity = 8;

  // All that a copy has in common with its original; the TTL may differ.
  static std::uint32_t signature(const Packet& p) {
    const TcpHeader& t = p.tcp;
    const std::uint64_t numbers = std::uint64_t{t.sequence} << 32 | t.acknowledgement;
    const std::uint64_t rest = std::uint64_t{p.ip_id} << 48 | std::uint64_t{t.window} << 32 |
                               std::uint64_t{t.flags} << 24 | std::uint64_t{t.sack_blocks} << 20;
    std::uint64_t times = 0;
    if (t.has_timestamps) times = std::uint64_t{t.timestamp_value} << 32 | t.timestamp_echo;
    if (t.sack_blocks != 0) times ^= (std::uint64_t{t.sack[0].right} << 32 | t.sack[0].left) * 31;
    constexpr std::uint64_t kOdd = 0xff51afd7ed558ccd;  // the finalizer's of MurmurHash3
    return static_cast<std::uint32_t>(mix(numbers + times * kOdd, rest ^ p.payload_length));
  }

  // How long ago the same packet passed (microseconds, negative if time ran backwards), if it did.
  std::optional<std::int32_t> find(std::uint32_t signature, std::uint32_t now_us) const {
    for (const Seen& s : seen_)
      if (s.signature == signature) return static_cast<std::int32_t>(now_us - s.us);
    return std::nullopt;
  }
  // `nth` counts the packets that are remembered; it may wrap.
  void remember(unsigned nth, std::uint32_t signature, std::uint32_t now_us) {
    seen_[nth % kCapacity] = {signature, now_us};
  }

 private:
  struct Seen {
    std::uint32_t signature = 0;
    std::uint32_t us = 0;
  };
  std::array<Seen, kCapacity> seen_;  // one cache line
};

}  // namespace probe::tcp
