#include "probe/packet/transport.h"

#include <algorithm>

namespace probe {
namespace {

Counter short_transport(const View& v, std::size_t n) {
  return lacking(v, n, Counter::decode_transport_cut, Counter::decode_transport_bad);
}

void set_payload(const View& v, Packet& p) {
  p.payload = v.octets;
  p.payload_length = v.wire;
  p.cut = v.octets.size() < v.wire;
}

// RFC 9293 §3.1: kinds 0 and 1 have no length, all others tell theirs. A bad length ends the options.
void read_options(Bytes options, TcpHeader& tcp) {
  Cursor c(options);
  while (c.left() > 0) {
    const std::uint8_t kind = c.u8();
    if (kind == 0) return;
    if (kind == 1) continue;
    const std::uint8_t length = c.u8();
    if (length < 2) return;
    Cursor body = c.sub(length - 2u);
    if (!c.ok()) return;
    switch (kind) {
      case 2:
        if (length == 4) tcp.maximum_segment = body.u16();
        break;
      case 3:
        tcp.has_window_scale = length == 3;
        tcp.window_scale = body.u8();
        break;
      case 4:
        tcp.sack_permitted = true;
        break;
      case 5:
        tcp.sack_blocks = 0;
        for (; body.left() >= 8 && tcp.sack_blocks < tcp.sack.size(); ++tcp.sack_blocks) {
          const std::uint32_t left = body.u32();
          tcp.sack[tcp.sack_blocks] = {left, body.u32()};
        }
        break;
      case 8:
        tcp.has_timestamps = length == 10;
        tcp.timestamp_value = body.u32();
        tcp.timestamp_echo = body.u32();
        break;
      default:
        break;
    }
  }
}

// RFC 7323 appendix A: nearly all segments of today have exactly these options.
bool only_timestamps(Bytes options, TcpHeader& tcp) {
  if (options.size() != 12) return false;
  const Header<12> o = options.first<12>();
  if (u32_at<0>(o) != 0x0101080a) return false;
  tcp.has_timestamps = true;
  tcp.timestamp_value = u32_at<4>(o);
  tcp.timestamp_echo = u32_at<8>(o);
  return true;
}

Counter open_tcp(View v, Ports& ports, Packet& p) {
  constexpr std::uint32_t kFixed = 20;
  if (!v.has(kFixed)) return short_transport(v, kFixed);
  const Header<kFixed> h = v.octets.first<kFixed>();
  const std::uint32_t header = (h[12] >> 4) * 4u;
  if (header < kFixed || header > v.wire) return Counter::decode_transport_bad;
  ports = {u16_at<0>(h), u16_at<2>(h)};
  TcpHeader& tcp = p.tcp;
  tcp.sequence = u32_at<4>(h);
  tcp.acknowledgement = u32_at<8>(h);
  tcp.window = u16_at<14>(h);
  tcp.flags = h[13];
  tcp.window_scale = 0;
  tcp.maximum_segment = 0;
  tcp.has_window_scale = tcp.has_timestamps = tcp.sack_permitted = false;
  tcp.sack_blocks = 0;
  // The snap length may have taken a part of the options: what is there counts.
  const std::size_t captured = std::min<std::size_t>(header, v.octets.size());
  const Bytes options = v.octets.subspan(kFixed, captured - kFixed);
  if (!options.empty() && !only_timestamps(options, tcp)) read_options(options, tcp);
  v.octets = v.octets.subspan(captured);
  v.wire -= header;
  set_payload(v, p);
  return kFine;
}

// RFC 768; a length of 0 stands for more than 65535 (RFC 2675 §4). The IP length is the limit of both.
Counter open_udp(View v, Ports& ports, Packet& p, Counters& counters) {
  constexpr std::uint32_t kFixed = 8;
  if (!v.has(kFixed)) return short_transport(v, kFixed);
  const Header<kFixed> h = v.octets.first<kFixed>();
  ports = {u16_at<0>(h), u16_at<2>(h)};
  const std::uint32_t told = u16_at<4>(h);
  if (told != 0 && (told < kFixed || told > v.wire)) counters.add(Counter::decode_udp_length_bad);
  if (told != 0) v.limit(std::max(told, kFixed));
  v.skip(kFixed);
  set_payload(v, p);
  return kFine;
}

Counter open_sctp(View v, Ports& ports, Packet& p) {
  constexpr std::uint32_t kFixed = 12;  // RFC 9260 §3.1
  if (!v.has(kFixed)) return short_transport(v, kFixed);
  const Header<kFixed> h = v.octets.first<kFixed>();
  ports = {u16_at<0>(h), u16_at<2>(h)};
  v.skip(kFixed);
  set_payload(v, p);
  return kFine;
}

// RFC 792, RFC 4443 §2.1: type and code make no ports, so that an echo and its reply are one flow.
Counter open_icmp(View v, Packet& p) {
  if (!v.has(2)) return short_transport(v, 2);
  p.icmp_type_code = static_cast<std::uint16_t>(v.octets[0] << 8 | v.octets[1]);
  v.skip(std::min<std::size_t>(8, v.octets.size()));
  set_payload(v, p);
  return kFine;
}

}  // namespace

Counter open_transport(std::uint8_t protocol, View v, Ports& ports, Packet& p, Counters& counters) {
  switch (protocol) {
    case ip_protocol::kTcp:
      return open_tcp(v, ports, p);
    case ip_protocol::kUdp:
      return open_udp(v, ports, p, counters);
    case ip_protocol::kSctp:
      return open_sctp(v, ports, p);
    case ip_protocol::kIcmp:
    case ip_protocol::kIcmpV6:
      return open_icmp(v, p);
    default:
      set_payload(v, p);
      return kFine;
  }
}

}  // namespace probe
