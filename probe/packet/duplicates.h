// Packets that a mirror port shows again: where they enter and where they leave a switch, before and behind a router.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "probe/base/nanos.h"
#include "probe/packet/packet.h"

namespace probe {

struct Fragment;

// One per decoder. Remembers the packets of a window by a digest of 64 bits over all that a copy has in common with its
// original: addresses, ports, scope, IP identification, lengths, the TCP header, the type of ICMP and the first 64
// octets of payload; not TTL, traffic class, MAC addresses, tags and labels. Two packets that are equal in that are
// called copies only if nobody can have meant both:
// - IPv4 with an identification, unless the sender uses always the same one (RFC 6864 §4.1): a repetition has another.
// - Seen elsewhere: another TTL, VLAN, label, tunnel or port. A sender's packets take the same way within the window.
// - SYN: it is not repeated before 1 s (RFC 6298 §2.1).
// - Fragments: they are never repeated by themselves.
// Else both count: acknowledgements and datagrams are legitimately sent alike.
class Duplicates {
 public:
  // `key`: who does not know it cannot make packets with equal digests.
  Duplicates(Nanos window, std::uint64_t key);

  // Whether it came within the window before. If not, it is remembered.
  bool is_copy(const Packet&);
  bool is_copy(const Fragment&);

  // Longer windows see identifications that begin anew.
  static constexpr Nanos kLongestWindow = 100 * kMillisecond;
  static constexpr std::size_t octets() { return kSets * sizeof(Set) + kSenders * sizeof(Sender); }

 private:
  struct Seen {
    std::uint64_t digest = 0;     // 0: free
    std::uint64_t time : 40 = 0;  // in units of 1.024 µs; 13 days until it begins anew
    std::uint64_t place : 24 = 0;
  };
  struct alignas(64) Set {
    std::array<Seen, 4> seen;  // the newest first; the last one gives way
  };
  struct Sender {
    std::uint32_t name = 0;
    std::uint16_t id = 0;         // of its last packet that was no copy
    std::uint16_t unchanged = 0;  // 1: the one ahead of that had the same
  };
  static constexpr std::size_t kSets = 4096, kSenders = 4096;

  // Null if it is not remembered.
  Seen* find(std::uint64_t digest);
  void remember(Seen* then, const Seen& now);
  bool within_window(const Seen& then, const Seen& now) const;
  bool id_proves(const Packet&, bool again);

  const std::uint64_t window_;  // in units of Seen::time
  const std::uint64_t key_, start_;
  std::unique_ptr<Set[]> sets_;
  std::unique_ptr<Sender[]> senders_;
};

}  // namespace probe
