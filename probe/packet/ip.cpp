#include "probe/packet/ip.h"

namespace probe {
namespace {

constexpr std::uint32_t kHeader4 = 20, kHeader6 = 40;
constexpr int kMaxExtensions = 12;

constexpr std::uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kAuthentication = 51, kNoNext = 59,
                       kDestination = 60, kHostIdentity = 139, kShim6 = 140;

Counter short_ip(const View& v, std::size_t n) { return lacking(v, n, Counter::decode_ip_cut, Counter::decode_ip_bad); }

// The length that the header tells, measured against the frame. 0 stands for more than 65535: the sending host leaves
// segmentation to its network card (TSO, BIG TCP; RFC 2675 jumbograms too), and the frame knows better.
std::uint32_t length_on_wire(std::uint32_t told, const View& v, std::uint32_t if_zero, bool is_zero,
                             Counters& counters) {
  if (is_zero) {
    counters.add(Counter::decode_ip_length_zero);
    return if_zero;
  }
  if (told > v.wire) counters.add(Counter::decode_ip_length_beyond);
  return told;
}

// Takes off the extension header in front, whose length octet counts `unit` octets beyond `fixed`.
Counter skip_extension(View& v, IpHeader& ip, std::size_t fixed, std::size_t unit) {
  if (!v.has(2)) return short_ip(v, 2);
  const std::size_t length = fixed + v.octets[1] * unit;
  if (!v.has(length)) return short_ip(v, length);
  ip.protocol = v.octets[0];
  v.skip(length);
  return kFine;
}

// RFC 8200 §4.5. A fragment that is the whole datagram (RFC 6946) is none.
Counter open_fragment_header(View& v, IpHeader& ip) {
  if (!v.has(8)) return short_ip(v, 8);
  const Header<8> h = v.octets.first<8>();
  ip.protocol = h[0];
  ip.fragment_offset = u16_at<2>(h) & 0xfff8u;
  ip.more_fragments = (h[3] & 1) != 0;
  ip.fragment_id = u32_at<4>(h);
  ip.is_fragment = ip.more_fragments || ip.fragment_offset != 0;
  v.skip(8);
  return kFine;
}

bool is_extension(const IpHeader& ip) {
  switch (ip.protocol) {
    case kAuthentication:
      return true;
    case kHopByHop:
    case kRouting:
    case kFragment:
    case kDestination:
    case kHostIdentity:
    case kShim6:
      return ip.version == 6;
    default:
      return false;
  }
}

}  // namespace

Counter open_ipv4(View& v, IpHeader& ip, Packet& p, Counters& counters) {
  if (!v.has(kHeader4)) return short_ip(v, kHeader4);
  const Header<kHeader4> h = v.octets.first<kHeader4>();
  const std::uint32_t header = (h[0] & 0x0fu) * 4;
  const std::uint32_t told = u16_at<2>(h);
  const std::uint32_t total = length_on_wire(told, v, v.wire, told == 0, counters);
  if (h[0] >> 4 != 4 || header < kHeader4 || total < header) return Counter::decode_ip_bad;
  if (!v.has(header)) return short_ip(v, header);
  const std::uint16_t fragment = u16_at<6>(h);
  ip.source = {0, u32_at<12>(h)};
  ip.destination = {0, u32_at<16>(h)};
  ip.fragment_id = u16_at<4>(h);
  ip.fragment_offset = (fragment & 0x1fffu) * 8;
  ip.more_fragments = (fragment & 0x2000) != 0;
  ip.is_fragment = (fragment & 0x3fff) != 0;
  ip.version = 4;
  ip.protocol = h[9];
  p.ttl = h[8];
  p.traffic_class = h[1];
  p.ip_id = u16_at<4>(h);
  p.dont_fragment = (fragment & 0x4000) != 0;
  p.ip_octets = total;
  v.set_length(total);
  v.skip(header);
  return kFine;
}

Counter open_ipv6(View& v, IpHeader& ip, Packet& p, Counters& counters) {
  if (!v.has(kHeader6)) return short_ip(v, kHeader6);
  const Header<kHeader6> h = v.octets.first<kHeader6>();
  if (h[0] >> 4 != 6) return Counter::decode_ip_bad;
  const std::uint32_t payload = u16_at<4>(h);
  ip.protocol = h[6];
  ip.source = {u64_at<8>(h), u64_at<16>(h)};
  ip.destination = {u64_at<24>(h), u64_at<32>(h)};
  const std::uint32_t total =
      length_on_wire(kHeader6 + payload, v, v.wire, payload == 0 && ip.protocol != kNoNext, counters);
  ip.is_fragment = false;
  ip.version = 6;
  p.ttl = h[7];
  p.traffic_class = static_cast<std::uint8_t>(u16_at<0>(h) >> 4);
  p.ip_id = 0;
  p.dont_fragment = false;
  p.ip_octets = total;
  v.set_length(total);
  v.skip(kHeader6);
  return kFine;
}

Counter skip_extensions(View& v, IpHeader& ip) {
  for (int i = 0; i <= kMaxExtensions; ++i) {
    if (!is_extension(ip)) return kFine;
    Counter why = kFine;
    switch (ip.protocol) {
      case kFragment:
        why = open_fragment_header(v, ip);
        if (ip.is_fragment) return why;
        break;
      case kAuthentication:
        why = skip_extension(v, ip, 8, 4);
        break;  // RFC 4302 §2.2: words, less two
      default:
        why = skip_extension(v, ip, 8, 8);
        break;
    }
    if (why != kFine) return why;
  }
  return Counter::decode_ip_extensions;
}

}  // namespace probe
