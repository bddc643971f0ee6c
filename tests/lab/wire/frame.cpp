#include "tests/lab/wire/frame.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string_view>

namespace probe::lab {
namespace {

constexpr std::size_t kMacs = 12;
constexpr std::uint16_t kIpv4 = 0x0800, kIpv6 = 0x86dd;
constexpr std::size_t kIpv6Header = 40;

std::string address_text(int family, Bytes address) {
  char text[INET6_ADDRSTRLEN];
  return address.empty() ? "" : inet_ntop(family, address.data(), text, sizeof text);
}

// RFC 4861: router and neighbour messages; RFC 3810 and RFC 2710: multicast listeners.
bool is_link_upkeep(std::uint8_t protocol, Bytes message, Bytes destination) {
  const bool multicast = !destination.empty() && destination[0] == 0xff;
  const bool neighbour = protocol == IPPROTO_ICMPV6 && !message.empty() && message[0] >= 130 && message[0] <= 137;
  return multicast || neighbour;
}

// Leaves the cursor at the transport header; returns the octets of the IP packet from there on.
std::uint32_t read_ipv4(Cursor& c, Summary& s) {
  const std::size_t header = (c.u8() & 15u) * 4;
  s.traffic_class = c.u8();
  const std::uint32_t total = c.u16();
  c.skip(5);
  s.protocol = c.u8();
  c.skip(2);
  s.source = address_text(AF_INET, c.take(4));
  s.destination = address_text(AF_INET, c.take(4));
  if (header < 20 || total < header) return 0;
  s.ip_octets = total;
  c.skip(header - 20);
  s.traffic = c.ok();
  return static_cast<std::uint32_t>(total - header);
}

std::uint32_t read_ipv6(Cursor& c, Summary& s) {
  s.traffic_class = static_cast<std::uint8_t>(c.u32() >> 20);
  const std::uint32_t payload = c.u16();
  s.ip_octets = payload + static_cast<std::uint32_t>(kIpv6Header);
  s.protocol = c.u8();
  c.skip(1);
  s.source = address_text(AF_INET6, c.take(16));
  const Bytes destination = c.take(16);
  s.destination = address_text(AF_INET6, destination);
  // Hop-by-hop options carry nothing here but multicast listener reports.
  s.traffic = c.ok() && s.protocol != IPPROTO_HOPOPTS && !is_link_upkeep(s.protocol, c.rest(), destination);
  return payload;
}

// RFC 2018 §3. The other options do not matter here.
void read_sack(Cursor c, Summary& s) {
  constexpr std::uint8_t kEnd = 0, kNothing = 1, kSack = 5;
  while (c.left() != 0) {
    const std::uint8_t kind = c.u8();
    if (kind == kEnd) return;
    if (kind == kNothing) continue;
    const std::uint8_t length = c.u8();
    if (length < 2) return;
    Cursor body = c.sub(length - 2u);
    if (!c.ok()) return;
    while (kind == kSack && body.left() >= 8) {
      const std::uint32_t left = body.u32();
      s.sack.push_back({left, body.u32()});
    }
  }
}

void read_transport(Cursor c, std::uint32_t octets, Summary& s) {
  if (s.protocol != IPPROTO_TCP && s.protocol != IPPROTO_UDP) return;
  s.source_port = c.u16();
  s.destination_port = c.u16();
  std::uint32_t header = 8;
  if (s.protocol == IPPROTO_TCP) {
    s.sequence = c.u32();
    s.acknowledgement = c.u32();
    header = (c.u8() >> 4) * 4u;
    s.flags = c.u8();
    s.window = c.u16();
    c.skip(4);
    s.tcp = c.ok();
    if (s.tcp && header > 20) read_sack(c.sub(header - 20), s);
  }
  s.payload = octets >= header ? octets - header : 0;
}

}  // namespace

Summary summarise(Bytes frame) {
  Summary s;
  Cursor c(frame);
  c.skip(kMacs);
  const std::uint16_t type = c.u16();
  std::uint32_t octets = 0;
  if (type == kIpv4) octets = read_ipv4(c, s);
  if (type == kIpv6 && c.left() >= kIpv6Header) octets = read_ipv6(c, s);
  if (s.traffic) read_transport(c, octets, s);
  return s;
}

bool mark_congestion(Frame& frame, std::size_t ethernet_at) {
  const auto at = [&](std::size_t i) -> std::uint8_t& { return frame[ethernet_at + i]; };
  constexpr std::size_t kIp = 14;
  if (frame.size() < ethernet_at + kIp + 20 || at(12) != kIpv4 >> 8 || at(13) != 0) return false;
  std::uint8_t& tos = at(kIp + 1);
  if ((tos & kEcnMask) == 0 || (tos & kEcnMask) == kCe) return false;
  // RFC 1624 §3: HC' = ~(~HC + ~m + m')
  const unsigned added = kCe - (tos & kEcnMask);
  const unsigned old = static_cast<unsigned>(at(kIp + 10)) << 8 | at(kIp + 11);
  unsigned sum = (~old & 0xffffu) + added;
  sum = ~(sum + (sum >> 16)) & 0xffffu;
  at(kIp + 10) = static_cast<std::uint8_t>(sum >> 8);
  at(kIp + 11) = static_cast<std::uint8_t>(sum & 0xff);
  tos |= kCe;
  return true;
}

std::string flag_text(std::uint8_t flags) {
  constexpr std::string_view letters = "FSRPAUEC";
  std::string out;
  for (std::size_t i = 0; i < letters.size(); ++i)
    if (flags >> i & 1) out += letters[i];
  return out;
}

}  // namespace probe::lab
