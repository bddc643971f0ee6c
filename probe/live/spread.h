// The program by which the kernel tells to which of several packet sockets a frame belongs.
#pragma once

#include <linux/filter.h>

#include <vector>

namespace probe::live {

// A classic BPF program for PACKET_FANOUT_CBPF. The kernel's own flow hash (PACKET_FANOUT_HASH) will not do: before
// Linux 6.0 it is not the same for both directions of every pair of IPv4 addresses; it parts the fragments of a
// datagram from the flow's whole ones; and it parts the directions of a tunnel whose UDP source ports are chosen by a
// hash of the inner packet (RFC 7348 §5). This one takes addresses and ports of TCP, and only addresses of all else.
// Behind VLAN tags, MPLS labels and PPPoE; frames without IP go to the first socket. `header`: octets of the link layer
// in front of frames that this machine sends; those of others come without.
std::vector<sock_filter> spread_program(unsigned header);

}  // namespace probe::live
