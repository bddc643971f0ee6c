// Everything in front of the IP header: link layers, VLAN tags, MPLS labels, PPP.
#pragma once

#include <cstdint>

#include "probe/packet/frame.h"
#include "probe/packet/packet.h"
#include "probe/packet/view.h"

namespace probe {

// What stands next, told by EtherType whatever the layer before called it.
namespace ether_type {
inline constexpr std::uint16_t kIpv4 = 0x0800, kArp = 0x0806, kEthernet = 0x6558 /* RFC 1701 */, kVlan = 0x8100,
                               kIpv6 = 0x86dd, kMpls = 0x8847, kMplsUpstream = 0x8848, kPppoeDiscovery = 0x8863,
                               kPppoeSession = 0x8864, kPpp = 0x880b /* RFC 2637 */, kServiceVlan = 0x88a8,
                               kLldp = 0x88cc, kBridgePortTag = 0x893f, kVnTag = 0x8926, kMacsec = 0x88e5,
                               kOldServiceVlan = 0x9100, kUnknown = 0xffff;
}  // namespace ether_type

// kIpv4, kIpv6 or kUnknown by the version in the first octet, for layers that do not say.
std::uint16_t type_by_version(const View&);

// Takes off the header of the capture's link layer.
Counter open_link(LinkType, View&, std::uint16_t& type);

// Takes off whatever is in front of an IP header. On kFine `type` is kIpv4 or kIpv6.
Counter find_ip(std::uint16_t& type, View&, Encapsulation&);

}  // namespace probe
