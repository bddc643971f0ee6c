// The IP header, version 4 or 6, and what stands between it and the transport.
#pragma once

#include <cstdint>

#include "probe/packet/packet.h"
#include "probe/packet/view.h"

namespace probe {

// What decoding goes on with; what is only reported goes into the packet at once.
struct IpHeader {
  Address source, destination;
  std::uint32_t fragment_id = 0;      // if is_fragment
  std::uint32_t fragment_offset = 0;  // in octets
  std::uint8_t version = 0;
  std::uint8_t protocol = 0;  // of what stands next; told by the first fragment (RFC 8200 §4.5)
  bool is_fragment = false;
  bool more_fragments = false;
};

// Takes off the IPv4 header with its options (RFC 791 §3.1), or the fixed IPv6 header (RFC 8200 §3), and cuts the view
// to the length that the header tells. Header checksums are not looked at: the capture point of a sending host sees
// them before the network card has computed them. The same goes for the checksums of TCP and UDP.
Counter open_ipv4(View&, IpHeader&, Packet&, Counters&);
Counter open_ipv6(View&, IpHeader&, Packet&, Counters&);

// Takes off extension headers (IPv6) and authentication headers (both) up to the transport, or up to a fragment
// header, which it takes off too and tells in is_fragment.
Counter skip_extensions(View&, IpHeader&);

}  // namespace probe
