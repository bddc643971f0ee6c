// A decoded packet: who it is between, what its headers say, and where its payload is.
#pragma once

#include <array>
#include <cstdint>

#include "probe/base/bytes.h"
#include "probe/base/nanos.h"
#include "probe/packet/flow_key.h"

namespace probe {

namespace ip_protocol {
inline constexpr std::uint8_t kIcmp = 1, kIpip = 4, kTcp = 6, kUdp = 17, k6in4 = 41, kGre = 47, kEsp = 50, kIcmpV6 = 58,
                              kSctp = 132;
}  // namespace ip_protocol

// TCP control bits (RFC 9293 §3.1), as IPFIX tcpControlBits has them.
namespace tcp_flag {
inline constexpr std::uint8_t kFin = 1, kSyn = 2, kRst = 4, kPsh = 8, kAck = 16, kUrg = 32, kEce = 64, kCwr = 128;
}  // namespace tcp_flag

// Digits of TcpHeader::option_order.
enum class TcpOption : std::uint8_t {
  none,  // so that a digit 0 ends the order
  end,
  no_operation,
  maximum_segment,
  window_scale,
  sack_permitted,
  sack,
  timestamps,
  fast_open,
  multipath,
  signature,  // MD5 (RFC 2385) or AO (RFC 5925)
  other,
};

// What is in a TCP header, options included. Sequence numbers in host order.
struct TcpHeader {
  std::uint32_t sequence = 0;
  std::uint32_t acknowledgement = 0;
  std::uint16_t window = 0;  // as on the wire, not scaled
  std::uint8_t flags = 0;
  std::uint8_t window_scale = 0;      // if has_window_scale (RFC 7323 §2)
  std::uint16_t maximum_segment = 0;  // 0: no such option (RFC 9293 §3.7.1)
  bool has_window_scale = false;
  bool has_timestamps = false;
  bool sack_permitted = false;
  std::uint8_t sack_blocks = 0;       // how many of `sack` are valid (RFC 2018)
  std::uint32_t timestamp_value = 0;  // if has_timestamps (RFC 7323 §3)
  std::uint32_t timestamp_echo = 0;
  struct SackBlock {
    std::uint32_t left = 0, right = 0;
  };
  std::uint64_t option_order = 0;  // the first 16 options, a hexadecimal digit each, the last one lowest
  enum class FastOpen : std::uint8_t { none, asked, cookie } fast_open = FastOpen::none;  // RFC 7413 §4.1.1
  std::array<SackBlock, 4> sack{};  // decode() writes only the first `sack_blocks`

  bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
};

enum class Tunnel : std::uint8_t { none, gre, erspan, vxlan, geneve, gtp_u, ip_in_ip };

// What carried the packet, outermost first; copied into the flow from its first packet of each direction.
// 32 octets, because it is set anew for each packet.
struct Encapsulation {
  std::array<std::uint8_t, 6> source_mac{}, destination_mac{};  // of the outermost Ethernet header
  std::array<std::uint16_t, 2> vlan{};  // TCI of the first tags: priority, DEI and VLAN id (IEEE 802.1Q)
  std::uint32_t mpls_top = 0;           // top label stack entry without its TTL: label, class, S (24 bits, RFC 3032)
  std::uint32_t tunnel_id = 0;          // if has_tunnel_id: VNI, GRE key, PPTP call, ERSPAN session or TEID
  std::uint8_t vlan_count = 0;          // tags seen, those inside of tunnels included
  std::uint8_t mpls_count = 0;          // labels seen
  Tunnel tunnel = Tunnel::none;         // the innermost that was opened
  bool has_mac = false;
  bool has_tunnel_id = false;
};
static_assert(sizeof(Encapsulation) == 32);

// An ICMP error belongs to its own flow, and says something of the flow whose packet it quotes. Those may be of
// different workers.
enum class Part : std::uint8_t { whole, without_quote, only_quote };

// A view: `payload` dies with the burst. One Packet stands for one frame, or for all fragments of one datagram. Of a
// tunnelled packet it tells the innermost that was opened, its lengths and fragments included.
struct Packet {
  FlowKey key;
  std::uint64_t hash = 0;
  Nanos time = 0;
  bool from_high = false;          // the sender is the key's higher endpoint
  bool fragmented = false;         // reassembled from packet_count fragments
  bool cut = false;                // the snap length took part of the payload
  bool dont_fragment = false;      // IPv4: the DF bit
  std::uint8_t ttl = 0;            // or hop limit
  std::uint8_t traffic_class = 0;  // ToS or traffic class
  std::uint16_t port = 0;          // capture interface
  std::uint16_t packet_count = 1;
  std::uint16_t ip_id = 0;           // IPv4 identification
  std::uint32_t ip_octets = 0;       // total length of the IP packet(s) on the wire, headers included
  std::uint16_t icmp_type_code = 0;  // type * 256 + code
  Part part = Part::whole;           // set where packets are handed on to workers
  bool polled = false;               // as in Frame
  std::uint32_t payload_length = 0;  // transport payload on the wire; more than payload.size() if cut
  Bytes payload;
  TcpHeader tcp;                // only written if key.protocol is TCP
  std::uint32_t icmp_rest = 0;  // ICMP only: the second word of its header; 0 if it was cut
  Encapsulation encapsulation;

  bool is_tcp() const { return key.protocol == ip_protocol::kTcp; }
  bool is_icmp() const { return key.protocol == ip_protocol::kIcmp || key.protocol == ip_protocol::kIcmpV6; }
  bool ends_tcp() const { return is_tcp() && tcp.has(tcp_flag::kFin | tcp_flag::kRst); }
  // RFC 9293 §3.4: SYN and FIN each take one sequence number.
  std::uint32_t sequence_length() const {
    return payload_length + (tcp.has(tcp_flag::kSyn) ? 1 : 0) + (tcp.has(tcp_flag::kFin) ? 1 : 0);
  }
};

}  // namespace probe
