#include "probe/packet/link.h"

#include <algorithm>
#include <cstring>

namespace probe {
namespace {

// More headers in front of IP than any network has: a bound against frames made of tags only.
constexpr int kMaxLinkHeaders = 16;
constexpr int kMaxLabels = 16;

Counter short_link(const View& v, std::size_t n) {
  return lacking(v, n, Counter::decode_link_cut, Counter::decode_link_bad);
}

// IEEE 802.2: SNAP carries an EtherType (RFC 1042), SAP 6 carries IPv4 at once (RFC 1010). The rest, such as
// spanning tree and IS-IS, carries no IP.
Counter open_llc(View& v, std::uint16_t& type) {
  if (!v.has(3)) return short_link(v, 3);
  const Header<3> llc = v.octets.first<3>();
  v.skip(3);
  if (llc[0] == 0x06 && llc[1] == 0x06 && llc[2] == 0x03) {
    type = ether_type::kIpv4;
    return kFine;
  }
  if (llc[0] != 0xaa || llc[1] != 0xaa || llc[2] != 0x03) return Counter::decode_llc;
  if (!v.has(5)) return short_link(v, 5);
  const Header<5> snap = v.octets.first<5>();
  // The organisation 00-00-00 means EtherTypes, 00-00-F8 the same behind a bridge (IEEE 802.1H).
  if (snap[0] != 0 || snap[1] != 0 || (snap[2] != 0 && snap[2] != 0xf8)) return Counter::decode_llc;
  type = u16_at<3>(snap);
  v.skip(5);
  return kFine;
}

// IEEE 802.3 §3.2.6: up to 1500 the field is a length, from 1536 on a type.
Counter by_type_or_length(std::uint16_t field, View& v, std::uint16_t& type) {
  constexpr std::uint16_t kMaxLength = 1500;
  if (field > kMaxLength) {
    type = field;
    return kFine;
  }
  v.limit(field);
  return open_llc(v, type);
}

Counter open_ethernet(View& v, Encapsulation& e, std::uint16_t& type) {
  if (!v.has(14)) return short_link(v, 14);
  const Header<14> h = v.octets.first<14>();
  if (!e.has_mac) {
    std::memcpy(e.destination_mac.data(), h.data(), 6);
    std::memcpy(e.source_mac.data(), h.data() + 6, 6);
    e.has_mac = true;
  }
  v.skip(14);
  return by_type_or_length(u16_at<12>(h), v, type);
}

Counter open_vlan(View& v, Encapsulation& e, std::uint16_t& type) {
  if (!v.has(4)) return short_link(v, 4);
  const Header<4> tag = v.octets.first<4>();
  if (e.vlan_count < e.vlan.size()) e.vlan[e.vlan_count] = u16_at<0>(tag);
  ++e.vlan_count;
  v.skip(4);
  return by_type_or_length(u16_at<2>(tag), v, type);
}

// Tags between a switch and its port extenders, which say nothing about a flow: E-TAG (IEEE 802.1BR §7.5) and VN-Tag.
Counter skip_tag(View& v, std::size_t tag, std::uint16_t& type) {
  if (!v.has(tag + 2)) return short_link(v, tag + 2);
  v.skip(tag);
  const std::uint16_t field = u16_at<0>(Header<2>(v.octets.first<2>()));
  v.skip(2);
  return by_type_or_length(field, v, type);
}

// RFC 3032 §2.1. Nothing says what the labels carry: IP shows by its version, and a first nibble of 0 is the
// control word of a pseudowire (RFC 4385 §3), taken to carry Ethernet (RFC 4448 §4.6).
Counter open_mpls(View& v, Encapsulation& e, std::uint16_t& type) {
  for (int label = 0; label < kMaxLabels; ++label) {
    if (!v.has(4)) return short_link(v, 4);
    const std::uint32_t entry = u32_at<0>(Header<4>(v.octets.first<4>()));
    if (e.mpls_count == 0) e.mpls_top = entry >> 8;
    if (e.mpls_count < 255) ++e.mpls_count;
    v.skip(4);
    const bool bottom = (entry & 0x100) != 0;
    if (!bottom) continue;
    type = type_by_version(v);
    if (type == ether_type::kUnknown && v.has(4) && v.octets[0] >> 4 == 0) {
      type = ether_type::kEthernet;
      v.skip(4);
    }
    return kFine;
  }
  return Counter::decode_too_many_tags;
}

// RFC 1661 §2 and §6.5: the protocol takes one octet if the first one is odd. RFC 1662 §3.1: FF 03 may be in front.
Counter open_ppp(View& v, std::uint16_t& type) {
  if (v.has(2) && v.octets[0] == 0xff && v.octets[1] == 0x03) v.skip(2);
  if (!v.has(2)) return short_link(v, 2);
  std::uint16_t protocol = v.octets[0];
  v.skip(1);
  if ((protocol & 1) == 0) {
    protocol = static_cast<std::uint16_t>(protocol << 8 | v.octets[0]);
    v.skip(1);
  }
  switch (protocol) {
    case 0x0021:
      type = ether_type::kIpv4;
      return kFine;
    case 0x0057:
      type = ether_type::kIpv6;
      return kFine;
    case 0x0281:
      type = ether_type::kMpls;
      return kFine;
    case 0x0283:
      type = ether_type::kMplsUpstream;
      return kFine;
    default:
      return protocol >= 0x8000 ? Counter::decode_ppp_control : Counter::decode_not_ip;
  }
}

// RFC 2516 §4.
Counter open_pppoe(View& v, std::uint16_t& type) {
  if (!v.has(6)) return short_link(v, 6);
  const Header<6> h = v.octets.first<6>();
  if (h[0] != 0x11 || h[1] != 0) return Counter::decode_link_bad;
  v.skip(6);
  v.limit(u16_at<4>(h));
  return open_ppp(v, type);
}

// The address family, in the byte order of whoever captured. IPv6 has another number in each BSD.
Counter open_bsd(View& v, std::uint16_t& type) {
  if (!v.has(4)) return short_link(v, 4);
  std::uint32_t family = u32_at<0>(Header<4>(v.octets.first<4>()));
  if (family > 0xffff) family = __builtin_bswap32(family);
  v.skip(4);
  switch (family) {
    case 2:
      type = ether_type::kIpv4;
      return kFine;
    case 10:  // Linux
    case 24:  // NetBSD, OpenBSD
    case 28:  // FreeBSD
    case 30:  // Darwin
      type = ether_type::kIpv6;
      return kFine;
    default:
      return Counter::decode_not_ip;
  }
}

// LINKTYPE_LINUX_SLL and LINKTYPE_LINUX_SLL2 of the tcpdump group's registry.
Counter open_cooked(View& v, std::size_t header, std::size_t device_at, std::size_t protocol_at, std::uint16_t& type) {
  if (!v.has(header)) return short_link(v, header);
  const auto field = [&](std::size_t at) { return static_cast<std::uint16_t>(v.octets[at] << 8 | v.octets[at + 1]); };
  const std::uint16_t device = field(device_at), protocol = field(protocol_at);
  v.skip(header);
  constexpr std::uint16_t kNetlink = 824;  // ARPHRD_NETLINK: the protocol is a netlink family
  if (device == kNetlink) return Counter::decode_not_ip;
  constexpr std::uint16_t kLlc = 4;  // LINUX_SLL_P_802_2
  if (protocol == kLlc) return open_llc(v, type);
  type = protocol;
  return kFine;
}

Counter no_ip_in(std::uint16_t type) {
  switch (type) {
    case ether_type::kArp:
      return Counter::decode_arp;
    case ether_type::kLldp:
      return Counter::decode_lldp;
    case ether_type::kMacsec:
      return Counter::decode_macsec;
    case ether_type::kPppoeDiscovery:
      return Counter::decode_ppp_control;
    default:
      return Counter::decode_not_ip;
  }
}

}  // namespace

std::uint16_t type_by_version(const View& v) {
  const int version = v.has(1) ? v.octets[0] >> 4 : 0;
  return version == 4 ? ether_type::kIpv4 : version == 6 ? ether_type::kIpv6 : ether_type::kUnknown;
}

Counter open_link(LinkType link, View& v, std::uint16_t& type) {
  switch (link) {
    case LinkType::ethernet:
      type = ether_type::kEthernet;
      return kFine;
    case LinkType::raw_ip:
      type = type_by_version(v);
      return v.has(1) ? kFine : short_link(v, 1);
    case LinkType::linux_cooked_v1:
      return open_cooked(v, 16, 2, 14, type);
    case LinkType::linux_cooked_v2:
      return open_cooked(v, 20, 8, 0, type);
    case LinkType::bsd_null:
    case LinkType::bsd_loop:
      return open_bsd(v, type);
    case LinkType::ppp:
      return open_ppp(v, type);
    case LinkType::unknown:
      break;
  }
  return Counter::decode_link_unknown;
}

Counter find_ip(std::uint16_t& type, View& v, Encapsulation& e) {
  for (int headers = 0; headers <= kMaxLinkHeaders; ++headers) {
    Counter why = kFine;
    switch (type) {
      case ether_type::kIpv4:
      case ether_type::kIpv6:
        return kFine;
      case ether_type::kEthernet:
        why = open_ethernet(v, e, type);
        break;
      case ether_type::kVlan:
      case ether_type::kServiceVlan:
      case ether_type::kOldServiceVlan:
        why = open_vlan(v, e, type);
        break;
      case ether_type::kMpls:
      case ether_type::kMplsUpstream:
        why = open_mpls(v, e, type);
        break;
      case ether_type::kBridgePortTag:
        why = skip_tag(v, 6, type);
        break;
      case ether_type::kVnTag:
        why = skip_tag(v, 4, type);
        break;
      case ether_type::kPppoeSession:
        why = open_pppoe(v, type);
        break;
      case ether_type::kPpp:
        why = open_ppp(v, type);
        break;
      default:
        return no_ip_in(type);
    }
    if (why != kFine || type == ether_type::kIpv4) return why;
  }
  return Counter::decode_too_many_tags;
}

}  // namespace probe
