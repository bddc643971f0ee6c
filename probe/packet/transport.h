// TCP, UDP, SCTP and ICMP headers: ports, flags, and where the payload is.
#pragma once

#include <cstdint>

#include "probe/packet/packet.h"
#include "probe/packet/view.h"

namespace probe {

struct Ports {
  std::uint16_t source = 0, destination = 0;
};

inline constexpr std::uint32_t kTcpFixed = 20;

// Writes the TCP header of the packet. `options`: those that were captured; the snap length may have taken a part.
void read_tcp(Header<kTcpFixed>, Bytes options, TcpHeader&);

// Reads what stands behind the IP header and writes payload, lengths, TCP header and ICMP type of the packet.
// Protocols without ports that we know leave them 0.
Counter open_transport(std::uint8_t protocol, View&, Ports&, Packet&, Counters&);

}  // namespace probe
