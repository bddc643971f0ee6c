#include "probe/packet/tunnel.h"

#include "probe/packet/link.h"

namespace probe {
namespace {

constexpr std::uint16_t kVxlanPort = 4789, kGenevePort = 6081, kGtpUserPort = 2152;
constexpr std::uint16_t kErspan2 = 0x88be, kErspan3 = 0x22eb;
constexpr std::uint8_t kEthernetProtocol = 143;  // RFC 8986 §10.1

Carries is(Tunnel tunnel, std::uint16_t type, Inner& in) {
  in.tunnel = tunnel;
  in.type = type;
  return type == ether_type::kUnknown ? Carries::unreadable : Carries::a_packet;
}

Carries is(Tunnel tunnel, std::uint16_t type, std::uint32_t id, Inner& in) {
  in.has_id = true;
  in.id = id;
  return is(tunnel, type, in);
}

// draft-foschiano-erspan-03 §4.2: eight octets in front of the mirrored frame.
Carries open_erspan2(Inner& in) {
  if (!in.view.has(8)) return Carries::unreadable;
  const Header<8> h = in.view.octets.first<8>();
  if (h[0] >> 4 != 1) return Carries::unreadable;
  in.view.skip(8);
  return is(Tunnel::erspan, ether_type::kEthernet, u16_at<2>(h) & 0x3ffu, in);
}

// draft-foschiano-erspan-03 §4.3: twelve octets, eight more if the last bit says so, then a frame or an IP packet.
Carries open_erspan3(Inner& in) {
  if (!in.view.has(12)) return Carries::unreadable;
  const Header<12> h = in.view.octets.first<12>();
  if (h[0] >> 4 != 2) return Carries::unreadable;
  const std::size_t header = (h[11] & 1) != 0 ? 20 : 12;
  if (!in.view.has(header)) return Carries::unreadable;
  in.view.skip(header);
  const int frame_type = h[10] >> 2 & 0x1f;
  const std::uint32_t session = u16_at<2>(h) & 0x3ffu;
  switch (frame_type) {
    case 0:
      return is(Tunnel::erspan, ether_type::kEthernet, session, in);
    case 2:
      return is(Tunnel::erspan, type_by_version(in.view), session, in);
    default:
      return Carries::unreadable;
  }
}

// RFC 2784 and RFC 2890; version 1 is PPTP's (RFC 2637 §4.1), whose key is payload length and call id.
Carries open_gre(Inner& in) {
  if (!in.view.has(4)) return Carries::unreadable;
  const Header<4> h = in.view.octets.first<4>();
  const bool checksum = (h[0] & 0x80) != 0, routing = (h[0] & 0x40) != 0, key = (h[0] & 0x20) != 0,
             sequence = (h[0] & 0x10) != 0, acknowledgement = (h[1] & 0x80) != 0;
  const int version = h[1] & 7;
  const std::uint16_t type = u16_at<2>(h);
  in.view.skip(4);
  const bool pptp = version == 1 && type == ether_type::kPpp && key;
  if (routing || (version != 0 && !pptp)) return Carries::unreadable;

  Cursor c(in.view.octets);
  if (checksum) c.skip(4);
  const std::uint32_t id = key ? c.u32() : 0;
  if (sequence) c.skip(4);
  if (pptp && acknowledgement) c.skip(4);
  if (!c.ok()) return Carries::unreadable;
  in.view.skip(in.view.octets.size() - c.left());
  if (pptp) {
    in.view.limit(id >> 16);
    if (id >> 16 == 0) return Carries::nothing;  // an acknowledgement only
    return is(Tunnel::gre, type, id & 0xffff, in);
  }
  // ERSPAN type I is a bare frame, known from type II by the missing sequence number.
  if (type == kErspan2) return sequence ? open_erspan2(in) : is(Tunnel::erspan, ether_type::kEthernet, in);
  if (type == kErspan3) return open_erspan3(in);
  return key ? is(Tunnel::gre, type, id, in) : is(Tunnel::gre, type, in);
}

// RFC 7348 §5.
Carries open_vxlan(Inner& in) {
  if (!in.view.has(8)) return Carries::unreadable;
  const Header<8> h = in.view.octets.first<8>();
  const bool has_vni = (h[0] & 0x08) != 0;
  if (!has_vni) return Carries::unreadable;
  in.view.skip(8);
  return is(Tunnel::vxlan, ether_type::kEthernet, u32_at<4>(h) >> 8, in);
}

// RFC 8926 §3.4.
Carries open_geneve(Inner& in) {
  if (!in.view.has(8)) return Carries::unreadable;
  const Header<8> h = in.view.octets.first<8>();
  const std::size_t header = 8 + (h[0] & 0x3fu) * 4;
  if (h[0] >> 6 != 0 || !in.view.has(header)) return Carries::unreadable;
  in.view.skip(header);
  return is(Tunnel::geneve, u16_at<2>(h), u32_at<4>(h) >> 8, in);
}

// 3GPP TS 29.281 §5.1 and §5.2: any of three flags brings four octets, whose last names an extension header.
Carries open_gtp(Inner& in) {
  if (!in.view.has(8)) return Carries::unreadable;
  const Header<8> h = in.view.octets.first<8>();
  constexpr std::uint8_t kUserPacket = 255;  // T-PDU; the others are signalling
  const bool gtp1 = h[0] >> 5 == 1 && (h[0] & 0x10) != 0;
  if (!gtp1) return Carries::unreadable;
  if (h[1] != kUserPacket) return Carries::nothing;
  const std::uint32_t teid = u32_at<4>(h);
  in.view.skip(8);
  in.view.limit(u16_at<2>(h));
  if ((h[0] & 0x07) != 0) {
    if (!in.view.has(4)) return Carries::unreadable;
    std::uint8_t next = (h[0] & 0x04) != 0 ? in.view.octets[3] : 0;
    in.view.skip(4);
    constexpr int kMaxExtensions = 8;
    for (int i = 0; next != 0; ++i) {
      if (i == kMaxExtensions || !in.view.has(1)) return Carries::unreadable;
      const std::size_t length = in.view.octets[0] * std::size_t{4};
      if (length == 0 || !in.view.has(length)) return Carries::unreadable;
      next = in.view.octets[length - 1];
      in.view.skip(length);
    }
  }
  return is(Tunnel::gtp_u, type_by_version(in.view), teid, in);
}

}  // namespace

Carries open_tunnel(const Packet& outer, Inner& in) {
  in.view = {outer.payload, outer.payload_length};
  switch (outer.key.protocol) {
    case ip_protocol::kIpip:
      return is(Tunnel::ip_in_ip, ether_type::kIpv4, in);
    case ip_protocol::k6in4:
      return is(Tunnel::ip_in_ip, ether_type::kIpv6, in);
    case kEthernetProtocol:
      return is(Tunnel::ip_in_ip, ether_type::kEthernet, in);
    case ip_protocol::kGre:
      return open_gre(in);
    case ip_protocol::kUdp:
      break;
    default:
      return Carries::nothing;
  }
  // Only the destination tells: the source port is entropy (RFC 7348 §5, RFC 8926 §3.3), or some client's own.
  switch (outer.from_high ? outer.key.low_port : outer.key.high_port) {
    case kVxlanPort:
      return open_vxlan(in);
    case kGenevePort:
      return open_geneve(in);
    case kGtpUserPort:
      return open_gtp(in);
    default:
      return Carries::nothing;
  }
}

}  // namespace probe
