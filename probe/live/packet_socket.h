// An interface of the kernel as a port: TPACKET_V3 rings, which lose nothing that is not counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "probe/live/port.h"

namespace probe::live {

struct PacketSocketOptions {
  std::string interface = {};
  std::uint16_t port = 0;  // what its frames carry
  // Sockets that share the frames. TCP goes by addresses and ports, all else by addresses: both directions of a flow,
  // all fragments of its datagrams and all that is in a tunnel come from one queue.
  std::size_t queues = 1;
  // The kernel hands over a block when it is full, or after about this time.
  Nanos block_timeout = 2 * kMillisecond;
  // A queue's ring. Its octets have to hold what comes while the reader is busy, or a Merge waits; its blocks, be they
  // ever so empty, outlast so many timeouts.
  std::size_t blocks = 512;
  std::size_t block_octets = std::size_t{128} << 10;  // a multiple of 4096
  std::uint32_t snap_length = 262'144;
  bool promiscuous = true;
  bool ignore_outgoing = true;  // frames that this machine sends; none of them is part of a mirrored link
};

// Ethernet and loopback come as LinkType::ethernet, tunnels and point-to-point links as LinkType::raw_ip. A VLAN tag
// that the NIC or the kernel took off is put back. When the interface goes down or vanishes, its queues are silent
// until it is back; if it vanished, counts() opens it anew, which needs CAP_NET_RAW once more. Throws
// std::runtime_error with one sentence that says what to do about it.
std::unique_ptr<Port> open_packet_socket(const PacketSocketOptions&);

}  // namespace probe::live
