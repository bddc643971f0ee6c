// Frame to Packet: link layer, tags, labels, IP, tunnels, fragments, transport.
#pragma once

#include <cstddef>

#include "probe/base/counters.h"
#include "probe/packet/frame.h"
#include "probe/packet/packet.h"

namespace probe {

struct DecodeOptions {
  bool open_tunnels = true;  // follow the inner packet of GRE, ERSPAN, VXLAN, Geneve, GTP-U, IP-in-IP, 6in4
  bool vlan_in_key = false;  // flows of different VLANs are different flows
  bool vni_in_key = true;    // flows of different VXLAN or Geneve networks are different flows
  std::size_t fragment_datagrams = 1024;   // datagrams under reassembly at a time
  std::size_t fragment_octets = 8u << 20;  // memory for their octets
  Nanos fragment_timeout = 30 * kSecond;   // packet time
};

// One per thread. decode() writes the packet and answers true, or counts why not and answers false (a fragment that
// waits for its others is counted too). A packet's views are good until the next call of new_burst().
class Defragmenter;
class Decoder {
 public:
  Decoder(const DecodeOptions&, Counters&);
  ~Decoder();
  bool decode(const Frame&, Packet&);
  void new_burst();

 private:
  DecodeOptions options_;
  Counters& counters_;
  Defragmenter* fragments_;
};

}  // namespace probe
