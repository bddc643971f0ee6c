#include "tests/kit/packet_layers.h"

#include <arpa/inet.h>

#include <stdexcept>

namespace probe::kit {
namespace {

// Appends numbers in network byte order.
struct Writer {
  Octets out;

  Writer& u8(std::uint64_t v) { return number(v, 1); }
  Writer& u16(std::uint64_t v) { return number(v, 2); }
  Writer& u24(std::uint64_t v) { return number(v, 3); }
  Writer& u32(std::uint64_t v) { return number(v, 4); }
  Writer& zeros(std::size_t n) {
    out.resize(out.size() + n);
    return *this;
  }
  Writer& octets(const Octets& o) {
    out.insert(out.end(), o.begin(), o.end());
    return *this;
  }
  Writer& mac(std::uint8_t last) { return u16(0x0200).u24(0).u8(last); }
  Writer& address(int family, const std::string& text) {
    Octets a(family == AF_INET ? 4 : 16);
    if (inet_pton(family, text.c_str(), a.data()) != 1) throw std::invalid_argument("no address: " + text);
    return octets(a);
  }

 private:
  Writer& number(std::uint64_t v, int n) {
    while (n-- > 0) out.push_back(static_cast<std::uint8_t>(v >> 8 * n));
    return *this;
  }
};

std::uint16_t ip_checksum(const Octets& header) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < header.size(); i += 2) sum += std::uint32_t{header[i]} << 8 | header[i + 1];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::uint16_t ppp_name(Naming next) {
  switch (next.ether_type) {
    case 0x0800:
      return 0x0021;
    case 0x86dd:
      return 0x0057;
    case 0x8847:
      return 0x0281;
    default:
      return 0xc021;  // LCP
  }
}

Octets head(const Ethernet& e, const Octets& inner, Naming next) {
  constexpr std::uint16_t kLength = 1;  // Snap calls itself so
  const std::uint16_t named = next.ether_type == kLength ? static_cast<std::uint16_t>(inner.size()) : next.ether_type;
  return Writer().mac(e.destination).mac(e.source).u16(e.type.value_or(named)).out;
}
Octets head(const Snap&, const Octets&, Naming next) { return Writer().u24(0xaaaa03).u24(0).u16(next.ether_type).out; }
Octets head(const Vlan& v, const Octets&, Naming next) { return Writer().u16(v.tci).u16(next.ether_type).out; }
Octets head(const Mpls& m, const Octets&, Naming next) {
  const std::uint32_t bottom = next.ether_type == 0x8847 ? 0 : 0x100;
  return Writer().u32(m.label << 12 | bottom | 64).out;
}
Octets head(const Pppoe& p, const Octets& inner, Naming next) {
  return Writer().u16(0x1100).u16(p.session).u16(inner.size() + 2).u16(ppp_name(next)).out;
}
Octets head(const Ppp& p, const Octets&, Naming next) {
  Writer w;
  if (p.address_and_control) w.u16(0xff03);
  return w.u16(ppp_name(next)).out;
}
Octets head(const LinuxCooked& c, const Octets&, Naming next) {
  const std::uint16_t protocol = c.protocol.value_or(next.ether_type);
  if (c.version == 2) return Writer().u16(protocol).u16(0).u32(1).u16(1).u8(0).u8(6).mac(1).u16(0).out;
  return Writer().u16(0).u16(1).u16(6).mac(1).u16(0).u16(protocol).out;
}
Octets head(const BsdFamily& f, const Octets&, Naming) {
  return f.big_endian ? Octets{0, 0, 0, f.family} : Octets{f.family, 0, 0, 0};
}

Octets head(const Ipv4& ip, const Octets& inner, Naming next) {
  const std::size_t header = 20 + ip.options.size();
  Writer w;
  w.u8(0x40 | header / 4).u8(ip.tos).u16(ip.total_length.value_or(static_cast<std::uint16_t>(header + inner.size())));
  w.u16(ip.id).u16(ip.fragment_field).u8(ip.ttl).u8(ip.protocol.value_or(next.protocol)).u16(0);
  w.address(AF_INET, ip.from).address(AF_INET, ip.to).octets(ip.options);
  const std::uint16_t sum = ip_checksum(w.out);
  w.out[10] = static_cast<std::uint8_t>(sum >> 8);
  w.out[11] = static_cast<std::uint8_t>(sum);
  return w.out;
}
Octets head(const Ipv6& ip, const Octets& inner, Naming next) {
  Writer w;
  w.u32(6u << 28 | std::uint32_t{ip.traffic_class} << 20);
  w.u16(ip.payload_length.value_or(static_cast<std::uint16_t>(inner.size())));
  w.u8(ip.protocol.value_or(next.protocol)).u8(ip.hop_limit);
  return w.address(AF_INET6, ip.from).address(AF_INET6, ip.to).out;
}
Octets head(const Extension& e, const Octets&, Naming next) {
  constexpr std::uint8_t kAuthentication = 51;
  const std::size_t length = 8u + e.extra * (e.kind == kAuthentication ? 4u : 8u);
  return Writer().u8(next.protocol).u8(e.extra).zeros(length - 2).out;
}
Octets head(const FragmentHeader& f, const Octets&, Naming next) {
  return Writer().u8(f.protocol.value_or(next.protocol)).u8(0).u16(f.offset | (f.more ? 1u : 0u)).u32(f.id).out;
}

Octets head(const Tcp& t, const Octets&, Naming) {
  Octets options = t.options;
  while (options.size() % 4 != 0) options.push_back(1);
  const std::uint8_t words = t.header_words.value_or(static_cast<std::uint8_t>(5 + options.size() / 4));
  Writer w;
  w.u16(t.source).u16(t.destination).u32(t.seq).u32(t.ack).u8(words << 4).u8(t.flags).u16(t.window).u32(0);
  return w.octets(options).out;
}
Octets head(const Udp& u, const Octets& inner, Naming) {
  const auto length = u.length.value_or(static_cast<std::uint16_t>(8 + inner.size()));
  return Writer().u16(u.source).u16(u.destination).u16(length).u16(0).out;
}
Octets head(const Sctp& s, const Octets&, Naming) {
  return Writer().u16(s.source).u16(s.destination).u32(0).u32(0).out;
}
Octets head(const Icmp& i, const Octets&, Naming) { return Writer().u8(i.type).u8(i.code).u16(0).u32(i.rest).out; }

Octets head(const Gre& g, const Octets& inner, Naming next) {
  const unsigned bits = (g.checksum ? 0x8000u : 0) | (g.key ? 0x2000u : 0) | (g.sequence ? 0x1000u : 0) |
                        (g.acknowledgement ? 0x80u : 0) | g.version;
  Writer w;
  w.u16(bits).u16(g.type.value_or(next.ether_type));
  if (g.checksum) w.u32(0);
  if (g.key && g.version == 1) w.u16(inner.size()).u16(*g.key);  // RFC 2637 §4.1
  if (g.key && g.version == 0) w.u32(*g.key);
  if (g.sequence) w.u32(*g.sequence);
  if (g.acknowledgement) w.u32(*g.acknowledgement);
  return w.out;
}
Octets head(const Erspan& e, const Octets&, Naming) {
  if (e.type == 2) return Writer().u16(0x1000).u16(e.session).u32(0).out;
  return Writer().u16(0x2000).u16(e.session).u32(0).u16(0).u16(e.sub_header ? 1 : 0).zeros(e.sub_header ? 8 : 0).out;
}
Octets head(const Vxlan& v, const Octets&, Naming) { return Writer().u8(v.flags).u24(0).u24(v.vni).u8(0).out; }
Octets head(const Geneve& g, const Octets&, Naming next) {
  return Writer().u8(g.option_words).u8(0).u16(next.ether_type).u24(g.vni).u8(0).zeros(g.option_words * 4u).out;
}
Octets head(const Gtp& g, const Octets& inner, Naming) {
  const std::size_t optional = g.extensions > 0 ? 4u + 4u * static_cast<unsigned>(g.extensions) : 0;
  constexpr std::uint8_t kPduSession = 0x85;
  Writer w;
  w.u8(g.extensions > 0 ? 0x34 : 0x30).u8(g.message).u16(optional + inner.size()).u32(g.teid);
  if (g.extensions > 0) w.u24(0).u8(kPduSession);
  for (int i = 1; i <= g.extensions; ++i) w.u8(1).u16(0).u8(i < g.extensions ? kPduSession : 0);
  return w.out;
}
Octets head(const Raw& r, const Octets&, Naming) { return r.octets; }

Naming name(const Ethernet&) { return {0x6558, 143}; }
Naming name(const Snap&) { return {1, 59}; }
Naming name(const Vlan& v) { return {v.type, 59}; }
Naming name(const Mpls&) { return {0x8847, 137}; }
Naming name(const Pppoe&) { return {0x8864, 59}; }
Naming name(const Ppp&) { return {0x880b, 59}; }
Naming name(const LinuxCooked&) { return {}; }
Naming name(const BsdFamily&) { return {}; }
Naming name(const Ipv4&) { return {0x0800, 4}; }
Naming name(const Ipv6&) { return {0x86dd, 41}; }
Naming name(const Extension& e) { return {0, e.kind}; }
Naming name(const FragmentHeader&) { return {0, 44}; }
Naming name(const Tcp&) { return {0, 6}; }
Naming name(const Udp&) { return {0, 17}; }
Naming name(const Sctp&) { return {0, 132}; }
Naming name(const Icmp& i) { return {0, static_cast<std::uint8_t>(i.version6 ? 58 : 1)}; }
Naming name(const Gre&) { return {0, 47}; }
Naming name(const Erspan& e) { return {static_cast<std::uint16_t>(e.type == 3 ? 0x22eb : 0x88be), 59}; }
Naming name(const Vxlan&) { return {}; }
Naming name(const Geneve&) { return {}; }
Naming name(const Gtp&) { return {}; }
Naming name(const Raw& r) { return r.naming; }

}  // namespace

Naming name_of(const PacketBuilder::Layer& layer) {
  return std::visit([](const auto& l) { return name(l); }, layer);
}

Octets put_around(const PacketBuilder::Layer& layer, const Octets& inner, Naming next) {
  Octets out = std::visit([&](const auto& l) { return head(l, inner, next); }, layer);
  out.insert(out.end(), inner.begin(), inner.end());
  return out;
}

}  // namespace probe::kit
