#include "probe/pipeline/direction.h"

#include <algorithm>

#include "probe/pipeline/registry.h"

namespace probe {
namespace {

bool is_server_port(std::uint16_t port) {
  constexpr std::uint16_t kWellKnown = 1024;  // RFC 6335 §6: system ports
  if (port < kWellKnown) return true;
  return std::ranges::any_of(
      dissectors(), [port](const Dissector* d) { return std::ranges::find(d->ports, port) != d->ports.end(); });
}

// ICMP and ICMPv6 types that answer another: echo reply, timestamp reply, mask reply; v6 echo reply, neighbour
// advertisement.
bool is_icmp_answer(const Packet& p) {
  const unsigned type = p.icmp_type_code >> 8;
  if (p.key.protocol == ip_protocol::kIcmp) return type == 0 || type == 14 || type == 18;
  return p.key.protocol == ip_protocol::kIcmpV6 && (type == 129 || type == 136);
}

}  // namespace

Direction direction_of(const Packet& p) {
  const unsigned sender = p.from_high, receiver = sender ^ 1u;
  if (p.is_tcp() && p.tcp.has(tcp_flag::kSyn)) return {p.tcp.has(tcp_flag::kAck) ? receiver : sender, true};
  if (is_icmp_answer(p)) return {receiver, false};
  const std::uint16_t source = p.from_high ? p.key.high_port : p.key.low_port;
  const std::uint16_t destination = p.from_high ? p.key.low_port : p.key.high_port;
  if (is_server_port(source) && !is_server_port(destination)) return {receiver, false};
  // Whoever speaks first over UDP asks; in the middle of a TCP connection it says nothing.
  const bool datagram_to_server = !p.is_tcp() && (is_server_port(destination) || source == destination || source == 0);
  return {sender, datagram_to_server};
}

}  // namespace probe
