// Frames written as one reads them from the outside in, for tests:
//
//   kit::BuiltFrame f = kit::ethernet().vlan(7).ipv4("10.0.0.1", "10.0.0.2").tcp(4242, 80).seq(1).payload("GET
//   /").build(); decoder.decode(f.frame(), packet);
//
// Each layer names the next one and has the right length, unless the test says otherwise. A modifier such as seq() or
// ttl() means the layer in front of it and throws if that one has no such field. Checksums of TCP and UDP are left 0.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "probe/packet/frame.h"

namespace probe::kit {

using Octets = std::vector<std::uint8_t>;

// A frame that owns its octets: exactly as many as were captured, so that sanitizers see a step too far.
struct BuiltFrame {
  Octets octets;
  std::uint32_t wire_length = 0;
  LinkType link = LinkType::ethernet;
  std::uint16_t port = 0;
  Nanos time = 0;
  bool polled = false;

  Frame frame() const {
    return {.octets = octets, .wire_length = wire_length, .link = link, .polled = polled, .port = port, .time = time};
  }
  BuiltFrame cut(std::size_t snap_length) const;  // the first octets only; the wire length stays
};

// How the layer in front calls a layer.
struct Naming {
  std::uint16_t ether_type = 0;
  std::uint8_t protocol = 59;  // no next header
};

struct Ethernet {
  std::uint8_t source = 1, destination = 2;  // last octet of the addresses 02:00:00:00:00:xx
  std::optional<std::uint16_t> type = {};
};
struct Snap {};  // IEEE 802.2 LLC and SNAP, which make the Ethernet type a length
struct Vlan {
  std::uint16_t tci = 0, type = 0x8100;
};
struct Mpls {
  std::uint32_t label = 0;
};
struct Pppoe {
  std::uint16_t session = 1;
};
struct Ppp {
  bool address_and_control = false;
};
struct LinuxCooked {
  int version = 1;
  std::optional<std::uint16_t> protocol = {};
};
struct BsdFamily {
  std::uint8_t family = 2;
  bool big_endian = false;
};
struct Ipv4 {
  std::string from = {}, to = {};
  std::uint8_t ttl = 64, tos = 0;
  std::uint16_t id = 0, fragment_field = 0;
  Octets options = {};
  std::optional<std::uint16_t> total_length = {};
  std::optional<std::uint8_t> protocol = {};
};
struct Ipv6 {
  std::string from = {}, to = {};
  std::uint8_t hop_limit = 64, traffic_class = 0;
  std::optional<std::uint16_t> payload_length = {};
  std::optional<std::uint8_t> protocol = {};
};
struct Extension {  // hop-by-hop, routing, destination options, or authentication
  std::uint8_t kind = 60;
  std::uint8_t extra = 0;  // length units beyond the first 8 octets
};
struct FragmentHeader {
  std::uint32_t id = 0;
  std::uint16_t offset = 0;
  bool more = false;
  std::optional<std::uint8_t> protocol = {};
};
struct Tcp {
  std::uint16_t source = 0, destination = 0;
  std::uint32_t seq = 0, ack = 0;
  std::uint8_t flags = 0x10;
  std::uint16_t window = 65535;
  Octets options = {};
  std::optional<std::uint8_t> header_words = {};
};
struct Udp {
  std::uint16_t source = 0, destination = 0;
  std::optional<std::uint16_t> length = {};
};
struct Sctp {
  std::uint16_t source = 0, destination = 0;
};
struct Icmp {
  std::uint8_t type = 8, code = 0;
  bool version6 = false;
  std::uint32_t rest = 0;  // second word: identifier and sequence number, or MTU
};
struct Gre {
  std::optional<std::uint32_t> key = {}, sequence = {}, acknowledgement = {};
  bool checksum = false;
  std::uint8_t version = 0;
  std::optional<std::uint16_t> type = {};
};
struct Erspan {  // behind its GRE header; type I has none of its own
  int type = 2;
  std::uint16_t session = 1;
  bool sub_header = false;
};
struct Vxlan {
  std::uint32_t vni = 0;
  std::uint8_t flags = 0x08;
};
struct Geneve {
  std::uint32_t vni = 0;
  std::uint8_t option_words = 0;
};
struct Gtp {
  std::uint32_t teid = 0;
  int extensions = 0;
  std::uint8_t message = 255;
};
struct Raw {
  Octets octets = {};
  Naming naming = {};
};

class PacketBuilder {
 public:
  using Layer = std::variant<Ethernet, Snap, Vlan, Mpls, Pppoe, Ppp, LinuxCooked, BsdFamily, Ipv4, Ipv6, Extension,
                             FragmentHeader, Tcp, Udp, Sctp, Icmp, Gre, Erspan, Vxlan, Geneve, Gtp, Raw>;

  explicit PacketBuilder(LinkType link) : link_(link) {}
  PacketBuilder& add(Layer layer) {
    layers_.push_back(std::move(layer));
    return *this;
  }

  PacketBuilder& ethernet() { return add(Ethernet{}); }
  PacketBuilder& snap() { return add(Snap{}); }
  PacketBuilder& vlan(std::uint16_t tci, std::uint16_t type = 0x8100) { return add(Vlan{tci, type}); }
  PacketBuilder& mpls(std::uint32_t label) { return add(Mpls{label}); }
  PacketBuilder& pppoe(std::uint16_t session) { return add(Pppoe{session}); }
  PacketBuilder& ipv4(std::string from, std::string to);
  PacketBuilder& ipv6(std::string from, std::string to);
  PacketBuilder& ip(const std::string& from, const std::string& to);  // the version that the addresses have
  PacketBuilder& extension(std::uint8_t kind, std::uint8_t extra = 0) { return add(Extension{kind, extra}); }
  PacketBuilder& fragment_header(std::uint32_t id, std::uint16_t offset, bool more);
  PacketBuilder& tcp(std::uint16_t source, std::uint16_t destination);
  PacketBuilder& udp(std::uint16_t source, std::uint16_t destination);
  PacketBuilder& sctp(std::uint16_t source, std::uint16_t destination) { return add(Sctp{source, destination}); }
  PacketBuilder& icmp(std::uint8_t type, std::uint8_t code = 0, std::uint32_t rest = 0) {
    return add(Icmp{type, code, false, rest});
  }
  PacketBuilder& icmpv6(std::uint8_t type, std::uint8_t code = 0, std::uint32_t rest = 0) {
    return add(Icmp{type, code, true, rest});
  }
  PacketBuilder& gre() { return add(Gre{}); }
  PacketBuilder& erspan(int type, std::uint16_t session = 1);  // with its GRE header
  PacketBuilder& vxlan(std::uint32_t vni) { return add(Vxlan{vni}); }
  PacketBuilder& geneve(std::uint32_t vni, std::uint8_t option_words = 0) { return add(Geneve{vni, option_words}); }
  PacketBuilder& gtp(std::uint32_t teid, int extensions = 0) { return add(Gtp{teid, extensions}); }
  PacketBuilder& payload(std::string_view text);
  PacketBuilder& payload(Octets octets) { return add(Raw{std::move(octets), {}}); }
  PacketBuilder& zeros(std::size_t n) { return payload(Octets(n)); }

  // IP
  PacketBuilder& ttl(std::uint8_t);
  PacketBuilder& traffic_class(std::uint8_t);
  PacketBuilder& id(std::uint16_t);
  PacketBuilder& fragment(std::uint16_t offset, bool more);  // IPv4; offset in octets
  PacketBuilder& dont_fragment();
  PacketBuilder& ip_options(Octets);  // a multiple of 4 octets
  PacketBuilder& ip_length(std::uint16_t);
  PacketBuilder& protocol(std::uint8_t);

  // TCP
  PacketBuilder& seq(std::uint32_t n) {
    return with<Tcp>([&](Tcp& t) { t.seq = n; });
  }
  PacketBuilder& ack(std::uint32_t n) {
    return with<Tcp>([&](Tcp& t) { t.ack = n; });
  }
  PacketBuilder& flags(int f) {
    return with<Tcp>([&](Tcp& t) { t.flags = static_cast<std::uint8_t>(f); });
  }
  PacketBuilder& window(std::uint16_t n) {
    return with<Tcp>([&](Tcp& t) { t.window = n; });
  }
  PacketBuilder& header_words(std::uint8_t n) {
    return with<Tcp>([&](Tcp& t) { t.header_words = n; });
  }
  PacketBuilder& maximum_segment(std::uint16_t);
  PacketBuilder& window_scale(std::uint8_t);
  PacketBuilder& sack_permitted();
  PacketBuilder& timestamps(std::uint32_t value, std::uint32_t echo);
  PacketBuilder& sack(std::initializer_list<std::pair<std::uint32_t, std::uint32_t>> blocks);
  PacketBuilder& tcp_options(std::initializer_list<std::uint8_t> octets);  // as they are

  PacketBuilder& udp_length(std::uint16_t n) {
    return with<Udp>([&](Udp& u) { u.length = n; });
  }

  PacketBuilder& time(Nanos t) {
    time_ = t;
    return *this;
  }

  Octets octets() const;  // of all layers
  BuiltFrame build() const;
  BuiltFrame padded(std::size_t to) const;  // with octets behind the packet, as Ethernet fills up short frames

  // The last layer, to set what has no modifier.
  template <class L>
  PacketBuilder& with(auto&& change) {
    change(std::get<L>(layers_.back()));
    return *this;
  }

 private:
  LinkType link_;
  Nanos time_ = 0;
  std::vector<Layer> layers_;
};

inline PacketBuilder ethernet() { return std::move(PacketBuilder(LinkType::ethernet).ethernet()); }
inline PacketBuilder raw_ip() { return PacketBuilder(LinkType::raw_ip); }
PacketBuilder linux_cooked(int version);
PacketBuilder bsd(LinkType, std::uint8_t family, bool big_endian);
PacketBuilder ppp(bool address_and_control);

// The pieces of an IP payload with at most `size` octets each: offset, octets, and whether others follow.
struct PayloadPiece {
  std::uint16_t offset = 0;
  Octets octets;
  bool more = false;
};
std::vector<PayloadPiece> pieces(const Octets& ip_payload, std::size_t size);

}  // namespace probe::kit
