// Which packets carry others, and where the inner one begins.
#pragma once

#include <cstdint>

#include "probe/packet/packet.h"
#include "probe/packet/view.h"

namespace probe {

struct Inner {
  View view;
  std::uint16_t type = 0;  // an ether_type
  Tunnel tunnel = Tunnel::none;
  bool has_id = false;
  std::uint32_t id = 0;
};

enum class Carries : std::uint8_t {
  nothing,     // no tunnel, or a tunnel's own signalling
  a_packet,    // inner is told
  unreadable,  // a tunnel whose header is cut, bad or of a kind that is not opened
};

Carries open_tunnel(const Packet& outer, Inner&);

}  // namespace probe
