#include "probe/packet/decoder.h"

#include <algorithm>

#include "probe/packet/defragmenter.h"
#include "probe/packet/duplicates.h"
#include "probe/packet/ip.h"
#include "probe/packet/link.h"
#include "probe/packet/plain_tcp.h"
#include "probe/packet/transport.h"
#include "probe/packet/tunnel.h"

namespace probe {
namespace {

constexpr int kMaxTunnels = 6;  // inside one another

void set_key(const IpHeader& ip, const Ports& ports, std::uint64_t scope, Packet& p) {
  if (ip.version == 4) {
    p.from_high = p.key.order_ipv4(ip.source.low, ports.source, ip.destination.low, ports.destination);
  } else {
    p.from_high = p.key.order({ip.source, ports.source}, {ip.destination, ports.destination});
  }
  p.key.scope = scope;
  p.key.protocol = ip.protocol;
  p.key.ip_version = ip.version;
  p.key.spare = 0;
}

bool may_carry(std::uint8_t protocol) { return protocol != ip_protocol::kTcp; }

}  // namespace

Decoder::Decoder(const DecodeOptions& options, Counters& counters)
    : options_(options),
      counters_(counters),
      fragments_(
          new Defragmenter({options.fragment_datagrams, options.fragment_octets, options.fragment_timeout}, counters)),
      duplicates_(options.duplicate_window > 0 ? new Duplicates(options.duplicate_window, options.duplicate_key)
                                               : nullptr) {}

Decoder::~Decoder() = default;

void Decoder::new_burst() { fragments_->new_burst(); }

std::size_t Decoder::octets() const { return fragments_->octets() + (duplicates_ ? Duplicates::octets() : 0); }

bool Decoder::decode(const Frame& frame, Packet& p) {
  if (!decode_plain_tcp(frame, p) && !decode_any(frame, p)) return false;
  p.hash = p.key.hash();
  if (duplicates_ && duplicates_->is_copy(p)) {
    counters_.add(Counter::capture_duplicates);
    return false;
  }
  counters_.add(Counter::decode_packets);
  return true;
}

bool Decoder::decode_any(const Frame& frame, Packet& p) {
  View view{frame.octets, std::max(frame.wire_length, static_cast<std::uint32_t>(frame.octets.size()))};
  p.time = frame.time;
  p.port = frame.port;
  p.polled = frame.polled;
  p.encapsulation = {};
  std::uint16_t type = 0;
  Counter why = open_link(frame.link, view, type);
  if (why == kFine) why = decode_layers(type, view, p);
  if (why != kFine) {
    counters_.add(why);
    return false;
  }
  return !options_.open_tunnels || !may_carry(p.key.protocol) || decode_inner(p);
}

// From the first header behind the link layer to the transport's payload.
Counter Decoder::decode_layers(std::uint16_t type, View& view, Packet& p) {
  Counter why = find_ip(type, view, p.encapsulation);
  if (why != kFine) return why;
  IpHeader ip;
  why = type == ether_type::kIpv4 ? open_ipv4(view, ip, p, counters_) : open_ipv6(view, ip, p, counters_);
  if (why != kFine) return why;
  p.packet_count = 1;
  p.fragmented = false;
  p.icmp_type_code = 0;
  // IPv6 may have extension headers on both sides of the fragment header, IPv4 only inside of the datagram.
  if (ip.version == 6) why = skip_extensions(view, ip);
  if (why == kFine && ip.is_fragment) why = reassemble(ip, view, p);
  if (why == kFine) why = skip_extensions(view, ip);
  if (why != kFine) return why;
  if (ip.is_fragment) return Counter::decode_fragments_bad;  // a fragment header inside of a reassembled datagram
  Ports ports;
  why = open_transport(ip.protocol, view, ports, p, counters_);
  if (why == kFine) set_key(ip, ports, scope_of(p.encapsulation), p);
  return why;
}

// kFine if this fragment was the last one missing: then the view is the datagram.
Counter Decoder::reassemble(IpHeader& ip, View& view, Packet& p) {
  const std::uint8_t protocol_in_key = ip.version == 4 ? ip.protocol : std::uint8_t{0};
  const Fragment fragment{
      {ip.source, ip.destination, scope_of(p.encapsulation), ip.fragment_id, protocol_in_key, ip.version},
      view,
      ip.fragment_offset,
      ip.more_fragments,
      ip.protocol,
      p.ip_octets,
      p.time};
  if (duplicates_ && duplicates_->is_copy(fragment)) return Counter::capture_duplicates;
  Datagram whole;
  const Counter why = fragments_->add(fragment, whole);
  if (why != kFine) return why;
  view = whole.data;
  ip.protocol = whole.protocol;
  ip.is_fragment = false;
  p.fragmented = true;
  p.packet_count = whole.fragments;
  p.ip_octets = whole.ip_octets;
  return kFine;
}

// Makes the packet the innermost one that can be decoded; what cannot be opened leaves the packet around it as it is.
// False only if the inner packet is a fragment: one that waits for others and will come with them, or a copy.
bool Decoder::decode_inner(Packet& p) {
  for (int depth = 0;; ++depth) {
    Inner inner;
    switch (open_tunnel(p, inner)) {
      case Carries::nothing:
        return true;
      case Carries::unreadable:
        counters_.add(Counter::decode_tunnel_unreadable);
        return true;
      case Carries::a_packet:
        break;
    }
    if (depth == kMaxTunnels) {
      counters_.add(Counter::decode_tunnel_too_deep);
      return true;
    }
    const Packet outer = p;
    p.encapsulation.tunnel = inner.tunnel;
    p.encapsulation.has_tunnel_id = inner.has_id;
    p.encapsulation.tunnel_id = inner.id;
    const Counter why = decode_layers(inner.type, inner.view, p);
    if (why == Counter::decode_fragments_waiting || why == Counter::capture_duplicates) {
      counters_.add(why);
      return false;
    }
    if (why != kFine) {
      p = outer;
      counters_.add(Counter::decode_tunnel_unreadable);
      return true;
    }
    counters_.add(Counter::decode_tunnels_opened);
  }
}

// What keeps flows apart that have the same addresses: the first two VLAN ids (a tag with id 0 is only a priority,
// IEEE 802.1Q §9.6), then the network of VXLAN or Geneve, where 0 is a network too.
std::uint64_t Decoder::scope_of(const Encapsulation& e) const {
  std::uint64_t scope = 0;
  if (options_.vlan_in_key) scope = (e.vlan[0] & 0xfffu) | (e.vlan[1] & 0xfffu) << 12;
  const bool in_network = e.tunnel == Tunnel::vxlan || e.tunnel == Tunnel::geneve;
  if (options_.vni_in_key && in_network) scope |= (std::uint64_t{1} << 24 | e.tunnel_id) << 24;
  return scope;
}

}  // namespace probe
