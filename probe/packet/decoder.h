// Frame to Packet: link layer, tags, labels, IP, tunnels, fragments, transport.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "probe/base/counters.h"
#include "probe/packet/frame.h"
#include "probe/packet/packet.h"
#include "probe/packet/view.h"

namespace probe {

struct DecodeOptions {
  bool open_tunnels = true;  // follow the inner packet of GRE, ERSPAN, VXLAN, Geneve, GTP-U, IP-in-IP, 6in4
  bool vlan_in_key = false;  // flows of different VLANs are different flows
  bool vni_in_key = true;    // flows of different VXLAN or Geneve networks are different flows
  std::size_t fragment_datagrams = 1024;   // datagrams under reassembly at a time
  std::size_t fragment_octets = 8u << 20;  // memory for their octets
  Nanos fragment_timeout = 60 * kSecond;   // packet time (RFC 1122 §3.3.2, RFC 8200 §4.5)
  Nanos duplicate_window = 0;              // copies of a packet within so long are refused; 0: none is looked for
  std::uint64_t duplicate_key = 0x2545f4914f6cdd1d;  // live: one that nobody can know
};

// What the decoder counts a frame as that it refuses because of what is in it; each frame as one of these. Copies are
// capture_duplicates.
inline constexpr Counter kDecodeRefusals[] = {
    Counter::decode_link_unknown,
    Counter::decode_link_cut,
    Counter::decode_link_bad,
    Counter::decode_too_many_tags,
    Counter::decode_arp,
    Counter::decode_lldp,
    Counter::decode_llc,
    Counter::decode_macsec,
    Counter::decode_ppp_control,
    Counter::decode_not_ip,
    Counter::decode_ip_cut,
    Counter::decode_ip_bad,
    Counter::decode_ip_extensions,
    Counter::decode_transport_cut,
    Counter::decode_transport_bad,
    Counter::decode_fragments_waiting,  // their datagram counts as one
    Counter::decode_fragments_bad,
    Counter::decode_fragments_beyond,
    Counter::decode_fragments_too_many,
    Counter::decode_fragments_refused,
    Counter::decode_fragments_no_memory,
};

struct IpHeader;
class Defragmenter;
class Duplicates;

// One per thread. decode() writes the packet and answers true, or counts why not and answers false (a fragment that
// waits for its others is counted too). A packet's views are good until the next call of new_burst(), which must come
// before each burst: it makes room for reassembled datagrams again.
class Decoder {
 public:
  Decoder(const DecodeOptions&, Counters&);
  ~Decoder();
  bool decode(const Frame&, Packet&);
  void new_burst();
  // Memory for fragments and for what is remembered of packets.
  std::size_t octets() const;

 private:
  bool decode_any(const Frame&, Packet&);
  Counter decode_layers(std::uint16_t type, View&, Packet&);
  Counter reassemble(IpHeader&, View&, Packet&);
  bool decode_inner(Packet&);
  std::uint64_t scope_of(const Encapsulation&) const;

  DecodeOptions options_;
  Counters& counters_;
  std::unique_ptr<Defragmenter> fragments_;
  std::unique_ptr<Duplicates> duplicates_;  // null: not looked for
};

}  // namespace probe
