// The way of nearly every frame of nearly every network, in a third of the steps that the layers take one by one.
#pragma once

#include "probe/packet/frame.h"
#include "probe/packet/packet.h"

namespace probe {

// True if the frame is Ethernet, IPv4 and TCP without anything in between: no tag, no IP option, no fragment, both
// headers captured and lengths that agree. The packet then is what the layers would make of it (a test compares), but
// for its hash. False: nothing is decided, and what is in the packet has no meaning.
bool decode_plain_tcp(const Frame&, Packet&);

}  // namespace probe
