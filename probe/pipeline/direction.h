// Who opened a flow, as far as its first packet tells.
#pragma once

#include "probe/packet/packet.h"

namespace probe {

struct Direction {
  unsigned initiator = 0;  // 0 the key's lower endpoint, 1 the higher one
  bool certain = false;
};

Direction direction_of(const Packet& first);

}  // namespace probe
