// What an ICMP error quotes: the packet that it is about (RFC 792, RFC 4443 §3).
#pragma once

#include <cstdint>

#include "probe/packet/packet.h"

namespace probe {

enum class IcmpError : std::uint8_t { host_unreachable, port_unreachable, prohibited, too_big, time_exceeded, other };
inline constexpr std::size_t kIcmpErrors = 6;

struct Quote {
  FlowKey key;             // of the flow whose packet it was
  bool from_high = false;  // and who sent that
  IcmpError error = IcmpError::other;
  std::uint16_t type_code = 0;
  std::uint32_t mtu = 0;  // too_big: of the next link; 0: not told (before RFC 1191)
};

// Redirects are no errors: what they are about was delivered.
inline bool is_icmp_error(const Packet& p) {
  const unsigned type = p.icmp_type_code >> 8;
  if (p.key.protocol == ip_protocol::kIcmp) return type == 3 || type == 4 || type == 11 || type == 12;
  return p.key.protocol == ip_protocol::kIcmpV6 && type >= 1 && type < 128;
}

// Of a packet that is one. False if what it quotes does not tell a flow: too short, not IP, a later fragment. Only the
// first 8 octets of the quoted transport are needed (RFC 792); nothing in them is to be believed.
bool read_quote(const Packet&, Quote&);

}  // namespace probe
