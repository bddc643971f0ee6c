// The link types of capture files (LINKTYPE_ values of tcpdump.org) as far as we decode them.
#pragma once

#include <cstdint>

#include "probe/packet/frame.h"

namespace probe::io {

// LinkType::unknown for all others: their frames are handed out too, for the decoder to count.
// LinkType::ppp frames may begin with the address and control octets FF 03 (RFC 1662 §3.1) or without: both 9 and 50
// occur both ways, so the decoder has to look.
LinkType link_type_of(std::uint32_t number);

}  // namespace probe::io
