#include "probe/packet/quote.h"

#include "probe/packet/ip.h"

namespace probe {
namespace {

// RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1.
IcmpError unreachable4(unsigned code) {
  switch (code) {
    case 2:
    case 3:
      return IcmpError::port_unreachable;
    case 4:
      return IcmpError::too_big;
    case 9:
    case 10:
    case 13:
    case 14:
    case 15:
      return IcmpError::prohibited;
    default:
      return IcmpError::host_unreachable;
  }
}

// RFC 4443 §3.1.
IcmpError unreachable6(unsigned code) {
  switch (code) {
    case 4:
      return IcmpError::port_unreachable;
    case 1:
    case 5:
    case 6:
      return IcmpError::prohibited;
    default:
      return IcmpError::host_unreachable;
  }
}

IcmpError error_of(const Packet& p) {
  const unsigned type = p.icmp_type_code >> 8, code = p.icmp_type_code & 0xff;
  if (p.key.protocol == ip_protocol::kIcmp)
    return type == 3 ? unreachable4(code) : type == 11 ? IcmpError::time_exceeded : IcmpError::other;
  switch (type) {
    case 1:
      return unreachable6(code);
    case 2:
      return IcmpError::too_big;
    case 3:
      return IcmpError::time_exceeded;
    default:
      return IcmpError::other;
  }
}

// The header of a quoted packet: what stands behind it goes to `rest`.
bool read_ipv4(Cursor& c, IpHeader& ip) {
  const std::size_t header = (c.u8() & 0x0fu) * 4;
  c.skip(5);
  const std::uint16_t fragment = c.u16();
  c.skip(1);
  ip.protocol = c.u8();
  c.skip(2);
  ip.source = {0, c.u32()};
  ip.destination = {0, c.u32()};
  ip.version = 4;
  if (header < 20) return false;
  c.skip(header - 20);
  return c.ok() && (fragment & 0x1fff) == 0;
}

bool read_ipv6(Cursor& c, IpHeader& ip) {
  c.skip(6);
  ip.protocol = c.u8();
  c.skip(1);
  const std::uint64_t from = c.u64(), from_low = c.u64(), to = c.u64(), to_low = c.u64();
  ip.source = {from, from_low};
  ip.destination = {to, to_low};
  ip.version = 6;
  View v{c.rest(), static_cast<std::uint32_t>(c.left())};
  if (!c.ok() || skip_extensions(v, ip) != kFine) return false;
  if (ip.is_fragment && (ip.fragment_offset > 0 || skip_extensions(v, ip) != kFine)) return false;
  c = Cursor(v.octets);
  return true;
}

bool has_ports(std::uint8_t protocol) {
  return protocol == ip_protocol::kTcp || protocol == ip_protocol::kUdp || protocol == ip_protocol::kSctp;
}

}  // namespace

bool read_quote(const Packet& p, Quote& q) {
  Cursor c(p.payload);
  IpHeader ip;
  const unsigned version = p.payload.empty() ? 0 : p.payload[0] >> 4;
  if (version != p.key.ip_version) return false;
  if (version == 4 ? !read_ipv4(c, ip) : !read_ipv6(c, ip)) return false;
  Endpoint source{ip.source}, destination{ip.destination};
  if (has_ports(ip.protocol)) {
    source.port = c.u16();
    destination.port = c.u16();
    if (!c.ok()) return false;
  }
  q.from_high = q.key.order(source, destination);
  q.key.scope = p.key.scope;
  q.key.protocol = ip.protocol;
  q.key.ip_version = ip.version;
  q.key.spare = 0;
  q.error = error_of(p);
  q.type_code = p.icmp_type_code;
  q.mtu = 0;
  if (q.error == IcmpError::too_big) q.mtu = version == 4 ? p.icmp_rest & 0xffff : p.icmp_rest;
  return true;
}

}  // namespace probe
