// How each layer of the packet builder becomes octets.
#pragma once

#include "tests/kit/packet_builder.h"

namespace probe::kit {

Naming name_of(const PacketBuilder::Layer&);

// The layer's header with what it carries behind it.
Octets put_around(const PacketBuilder::Layer&, const Octets& inner, Naming next);

}  // namespace probe::kit
