// Packets that a mirror port shows twice: where they come into a switch and where they leave it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "probe/base/nanos.h"
#include "probe/packet/frame.h"

namespace probe::live {

class Duplicates {
 public:
  // Remembers packets for so long; 0: nothing is a duplicate. A retransmission takes a round trip at least, and has
  // another IPv4 identification.
  explicit Duplicates(Nanos window);

  // Whether the same packet was here within the window: equal from the IP header on, but for TTL and header checksum,
  // which a router changes as it does tags and MAC addresses. The first 128 octets are compared, with the length; the
  // checksum of TCP or UDP stands for the rest. What is not IP over Ethernet is none.
  bool is_one(const Frame& f) { return seen_ && was_here(f); }

 private:
  struct Seen {
    std::uint64_t digest = 0;  // 0: free
    Nanos time = 0;
  };
  static constexpr std::size_t kWays = 4;  // of a cache line: the oldest gives way
  static constexpr std::size_t kSets = 4096;
  bool was_here(const Frame&);

  const Nanos window_;
  std::unique_ptr<Seen[]> seen_;
};

}  // namespace probe::live
