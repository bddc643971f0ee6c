#include "probe/packet/plain_tcp.h"

#include <algorithm>
#include <cstring>

#include "probe/packet/link.h"
#include "probe/packet/transport.h"
#include "probe/packet/view.h"

namespace probe {
namespace {

constexpr std::uint32_t kEthernet = 14, kIpv4 = 20, kTransport = kEthernet + kIpv4;

void set_encapsulation(Header<kEthernet> h, Encapsulation& e) {
  e = {};
  std::memcpy(e.destination_mac.data(), h.data(), 6);
  std::memcpy(e.source_mac.data(), h.data() + 6, 6);
  e.has_mac = true;
}

void set_ipv4(Header<kIpv4> h, Packet& p) {
  p.ttl = h[8];
  p.traffic_class = h[1];
  p.ip_id = u16_at<4>(h);
  p.ip_octets = u16_at<2>(h);
  p.packet_count = 1;
  p.fragmented = false;
  p.dont_fragment = (h[6] & 0x40) != 0;
  p.icmp_type_code = 0;
}

void set_key(Header<kIpv4> ip, Header<kTcpFixed> tcp, Packet& p) {
  p.from_high = p.key.order_ipv4(u32_at<12>(ip), u16_at<0>(tcp), u32_at<16>(ip), u16_at<2>(tcp));
  p.key.scope = 0;
  p.key.protocol = ip_protocol::kTcp;
  p.key.ip_version = 4;
  p.key.spare = 0;
}

}  // namespace

bool decode_plain_tcp(const Frame& frame, Packet& p) {
  const std::size_t captured = frame.octets.size();
  if (frame.link != LinkType::ethernet || captured < kTransport + kTcpFixed) return false;
  const auto link = frame.octets.first<kEthernet>();
  const auto ip = frame.octets.subspan<kEthernet, kIpv4>();
  const auto tcp = frame.octets.subspan<kTransport, kTcpFixed>();
  constexpr std::uint8_t kVersionAndLength = 0x45;
  constexpr std::uint16_t kFragmentBits = 0x3fff;
  if (u16_at<12>(link) != ether_type::kIpv4 || ip[0] != kVersionAndLength || ip[9] != ip_protocol::kTcp ||
      (u16_at<6>(ip) & kFragmentBits) != 0)
    return false;
  const std::size_t on_wire = std::max<std::size_t>(frame.wire_length, captured);
  const std::size_t header = (tcp[12] >> 4) * 4u;
  const std::size_t begin = kTransport + header, end = kEthernet + u16_at<2>(ip);  // of the payload in the frame
  if (header < kTcpFixed || begin > end || begin > captured || end > on_wire) return false;

  p.time = frame.time;
  p.port = frame.port;
  p.polled = frame.polled;
  set_encapsulation(link, p.encapsulation);
  set_ipv4(ip, p);
  set_key(ip, tcp, p);
  read_tcp(tcp, frame.octets.subspan(kTransport + kTcpFixed, header - kTcpFixed), p.tcp);
  p.payload = frame.octets.subspan(begin, std::min(end, captured) - begin);
  p.payload_length = static_cast<std::uint32_t>(end - begin);
  p.cut = captured < end;
  return true;
}

}  // namespace probe
