#include "probe/packet/transport.h"

#include <algorithm>

namespace probe {
namespace {

Counter short_transport(const View& v, std::size_t n) {
  return lacking(v, n, Counter::decode_transport_cut, Counter::decode_transport_bad);
}

void set_payload(Bytes octets, std::uint32_t wire, Packet& p) {
  p.payload = octets;
  p.payload_length = wire;
  p.cut = octets.size() < wire;
}

constexpr std::uint8_t kEnd = 0, kNoOperation = 1, kMaximumSegment = 2, kWindowScale = 3, kSackPermitted = 4, kSack = 5,
                       kTimestamps = 8, kMd5 = 19, kAuthentication = 29, kMultipath = 30, kFastOpen = 34,
                       kExperiment = 254;

TcpOption option_of(std::uint8_t kind) {
  switch (kind) {
    case kEnd:
      return TcpOption::end;
    case kNoOperation:
      return TcpOption::no_operation;
    case kMaximumSegment:
      return TcpOption::maximum_segment;
    case kWindowScale:
      return TcpOption::window_scale;
    case kSackPermitted:
      return TcpOption::sack_permitted;
    case kSack:
      return TcpOption::sack;
    case kTimestamps:
      return TcpOption::timestamps;
    case kMd5:
    case kAuthentication:
      return TcpOption::signature;
    case kMultipath:
      return TcpOption::multipath;
    case kFastOpen:
      return TcpOption::fast_open;
    default:
      return TcpOption::other;
  }
}

void append(TcpOption o, TcpHeader& tcp) {
  if (tcp.option_order >> 60 == 0) tcp.option_order = tcp.option_order << 4 | static_cast<std::uint8_t>(o);
}

// An option of another length than its RFC gives it is none.
void read_option(std::uint8_t kind, Bytes body, TcpHeader& tcp) {
  if (kind == kMaximumSegment && body.size() == 2) {
    tcp.maximum_segment = u16_at<0>(Header<2>(body.first<2>()));
  } else if (kind == kWindowScale && body.size() == 1) {
    tcp.has_window_scale = true;
    tcp.window_scale = body[0];
  } else if (kind == kSackPermitted) {
    tcp.sack_permitted = true;
  } else if (kind == kFastOpen || (kind == kExperiment && body.size() >= 2 && body[0] == 0xf9 && body[1] == 0x89)) {
    const std::size_t cookie = kind == kFastOpen ? body.size() : body.size() - 2;  // RFC 7413 §4.1.1, its draft's magic
    tcp.fast_open = cookie == 0 ? TcpHeader::FastOpen::asked : TcpHeader::FastOpen::cookie;
  } else if (kind == kTimestamps && body.size() == 8) {
    const Header<8> h = body.first<8>();
    tcp.has_timestamps = true;
    tcp.timestamp_value = u32_at<0>(h);
    tcp.timestamp_echo = u32_at<4>(h);
  } else if (kind == kSack) {
    for (tcp.sack_blocks = 0; body.size() >= 8 && tcp.sack_blocks < tcp.sack.size(); ++tcp.sack_blocks) {
      const Header<8> h = body.first<8>();
      tcp.sack[tcp.sack_blocks] = {u32_at<0>(h), u32_at<4>(h)};
      body = body.subspan(8);
    }
  }
}

// RFC 9293 §3.1: kinds 0 and 1 have no length, all others tell theirs. A bad length ends the options.
void read_options(Bytes options, TcpHeader& tcp) {
  while (!options.empty()) {
    const std::uint8_t kind = options[0];
    append(option_of(kind), tcp);
    if (kind == kEnd) return;
    if (kind == kNoOperation) {
      options = options.subspan(1);
      continue;
    }
    if (options.size() < 2) return;
    const std::uint8_t length = options[1];
    if (length < 2 || length > options.size()) return;
    read_option(kind, options.subspan(2, length - 2u), tcp);
    options = options.subspan(length);
  }
}

// RFC 7323 appendix A: nearly all segments of today have exactly these options.
bool only_timestamps(Bytes options, TcpHeader& tcp) {
  if (options.size() != 12) return false;
  const Header<12> o = options.first<12>();
  if (u32_at<0>(o) != 0x0101080a) return false;
  tcp.has_timestamps = true;
  tcp.option_order = 0x227;
  tcp.timestamp_value = u32_at<4>(o);
  tcp.timestamp_echo = u32_at<8>(o);
  return true;
}

Counter open_tcp(View& v, Ports& ports, Packet& p) {
  if (!v.has(kTcpFixed)) return short_transport(v, kTcpFixed);
  const Header<kTcpFixed> h = v.octets.first<kTcpFixed>();
  const std::uint32_t header = (h[12] >> 4) * 4u;
  if (header < kTcpFixed || header > v.wire) return Counter::decode_transport_bad;
  ports = {u16_at<0>(h), u16_at<2>(h)};
  const std::size_t captured = std::min<std::size_t>(header, v.octets.size());
  read_tcp(h, v.octets.subspan(kTcpFixed, captured - kTcpFixed), p.tcp);
  set_payload(v.octets.subspan(captured), v.wire - header, p);
  return kFine;
}

// RFC 768; a length of 0 stands for more than 65535 (RFC 2675 §4). The IP length is the limit of both.
Counter open_udp(View& v, Ports& ports, Packet& p, Counters& counters) {
  constexpr std::uint32_t kFixed = 8;
  if (!v.has(kFixed)) return short_transport(v, kFixed);
  const Header<kFixed> h = v.octets.first<kFixed>();
  ports = {u16_at<0>(h), u16_at<2>(h)};
  const std::uint32_t told = u16_at<4>(h);
  if (told != 0 && (told < kFixed || told > v.wire)) counters.add(Counter::decode_udp_length_bad);
  if (told != 0) v.limit(std::max(told, kFixed));
  v.skip(kFixed);
  set_payload(v.octets, v.wire, p);
  return kFine;
}

Counter open_sctp(View& v, Ports& ports, Packet& p) {
  constexpr std::uint32_t kFixed = 12;  // RFC 9260 §3.1
  if (!v.has(kFixed)) return short_transport(v, kFixed);
  const Header<kFixed> h = v.octets.first<kFixed>();
  ports = {u16_at<0>(h), u16_at<2>(h)};
  v.skip(kFixed);
  set_payload(v.octets, v.wire, p);
  return kFine;
}

// RFC 792, RFC 4443 §2.1: type and code make no ports, so that an echo and its reply are one flow.
Counter open_icmp(View& v, Packet& p) {
  if (!v.has(2)) return short_transport(v, 2);
  p.icmp_type_code = static_cast<std::uint16_t>(v.octets[0] << 8 | v.octets[1]);
  p.icmp_rest = v.has(8) ? u32_at<4>(Header<8>(v.octets.first<8>())) : 0;
  v.skip(std::min<std::size_t>(8, v.octets.size()));
  set_payload(v.octets, v.wire, p);
  return kFine;
}

}  // namespace

void read_tcp(Header<kTcpFixed> h, Bytes options, TcpHeader& tcp) {
  tcp.sequence = u32_at<4>(h);
  tcp.acknowledgement = u32_at<8>(h);
  tcp.window = u16_at<14>(h);
  tcp.flags = h[13];
  tcp.window_scale = 0;
  tcp.maximum_segment = 0;
  tcp.has_window_scale = tcp.has_timestamps = tcp.sack_permitted = false;
  tcp.sack_blocks = 0;
  tcp.option_order = 0;
  tcp.fast_open = TcpHeader::FastOpen::none;
  if (!options.empty() && !only_timestamps(options, tcp)) read_options(options, tcp);
}

Counter open_transport(std::uint8_t protocol, View& v, Ports& ports, Packet& p, Counters& counters) {
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
      set_payload(v.octets, v.wire, p);
      return kFine;
  }
}

}  // namespace probe
