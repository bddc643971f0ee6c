// What of QUIC everybody on the path can read: RFC 8999, and of versions 1 and 2 what RFC 9000 §17.2 and 9369 add.
#pragma once

#include <cstdint>
#include <optional>

#include "probe/base/bytes.h"

namespace probe::quic {

enum class PacketType : std::uint8_t { initial, zero_rtt, handshake, retry, version_negotiation };

// A long header. Nothing of it is encrypted.
struct LongHeader {
  PacketType type;
  std::uint32_t version = 0;
  Bytes destination, source;  // connection IDs, at most kMostIdOctets each
  bool token = false;         // Initial: it has one, so it is the client's (RFC 9000 §17.2.2)
  Bytes rest;                 // of the datagram behind this packet (RFC 9000 §12.2); empty if this one was cut
};

inline constexpr std::size_t kMostIdOctets = 20;        // RFC 9000 §17.2
inline constexpr std::size_t kLeastOriginalOctets = 8;  // of the connection ID that a client makes up (§7.2)

// RFC 9000 §17.2. In a connection whose endpoints agreed on it, it means nothing (RFC 9287).
constexpr bool has_fixed_bit(Bytes packet) { return !packet.empty() && (packet[0] & 0x40) != 0; }
constexpr bool has_long_header(Bytes packet) { return !packet.empty() && (packet[0] & 0x80) != 0; }
// RFC 9000 §17.4; of a short header.
constexpr bool spin_bit(Bytes packet) { return (packet[0] & 0x20) != 0; }

// Nothing if this is no long header of a version that is understood (1, 2, drafts from 22 on; a reserved one in what
// can be a client's first packet), or an impossible one.
std::optional<LongHeader> read_long_header(Bytes packet);

}  // namespace probe::quic
