// A frame on the wire and what the log and the rules need to know about it. Read here on its own, without the probe's
// decoder: a judge must not share the faults of the judged.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "probe/base/bytes.h"

namespace probe::lab {

using Frame = std::vector<std::uint8_t>;

enum class Direction : std::uint8_t { a2b, b2a };
inline constexpr std::array kDirections = {Direction::a2b, Direction::b2a};
constexpr const char* name(Direction d) { return d == Direction::a2b ? "a2b" : "b2a"; }
constexpr std::size_t index(Direction d) { return static_cast<std::size_t>(d); }

inline constexpr std::uint8_t kFin = 1, kSyn = 2, kRst = 4, kAck = 16;

struct Summary {
  // IPv4 or IPv6 between hosts. ARP, neighbour discovery and the like are not: they cross at once, unrecorded.
  bool traffic = false;
  bool tcp = false;  // the TCP header is there
  std::uint8_t protocol = 0;
  std::uint8_t flags = 0;
  std::uint16_t source_port = 0, destination_port = 0;
  std::uint16_t window = 0;  // as on the wire, not scaled
  std::uint32_t sequence = 0, acknowledgement = 0;
  std::uint32_t ip_octets = 0;     // of the IP packet, header included
  std::uint32_t payload = 0;       // octets behind the TCP or UDP header
  std::uint8_t traffic_class = 0;  // DSCP and ECN
  struct Range {
    std::uint32_t left, right;
  };
  std::vector<Range> sack;
  std::string source, destination;

  bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
};

inline constexpr std::uint8_t kEcnMask = 3, kCe = 3;  // RFC 3168 §5

Summary summarise(Bytes frame);
// Sets CE where the sender allows it (ECT); false if it does not.
bool mark_congestion(Frame& frame, std::size_t ethernet_at);

// Letters as tcpdump writes them: S, F, R, P, A (for ".") …
std::string flag_text(std::uint8_t flags);

}  // namespace probe::lab
