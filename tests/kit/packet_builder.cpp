#include "tests/kit/packet_builder.h"

#include <algorithm>
#include <stdexcept>

#include "tests/kit/packet_layers.h"

namespace probe::kit {
namespace {

void put32(Octets& out, std::uint32_t v) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(v >> shift));
}

}  // namespace

BuiltFrame BuiltFrame::cut(std::size_t snap_length) const {
  BuiltFrame f = *this;
  f.octets = Octets(octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(std::min(snap_length, octets.size())));
  return f;
}

PacketBuilder& PacketBuilder::ipv4(std::string from, std::string to) {
  Ipv4 ip;
  ip.from = std::move(from);
  ip.to = std::move(to);
  return add(ip);
}

PacketBuilder& PacketBuilder::ipv6(std::string from, std::string to) {
  Ipv6 ip;
  ip.from = std::move(from);
  ip.to = std::move(to);
  return add(ip);
}

PacketBuilder& PacketBuilder::ip(const std::string& from, const std::string& to) {
  return from.find(':') == std::string::npos ? ipv4(from, to) : ipv6(from, to);
}

PacketBuilder& PacketBuilder::fragment_header(std::uint32_t id, std::uint16_t offset, bool more) {
  return add(FragmentHeader{id, offset, more, {}});
}

PacketBuilder& PacketBuilder::tcp(std::uint16_t source, std::uint16_t destination) {
  Tcp t;
  t.source = source;
  t.destination = destination;
  return add(t);
}

PacketBuilder& PacketBuilder::udp(std::uint16_t source, std::uint16_t destination) {
  return add(Udp{source, destination, {}});
}

PacketBuilder& PacketBuilder::erspan(int type, std::uint16_t session) {
  if (type == 1) return add(Gre{{}, {}, {}, false, 0, 0x88be});
  return add(Gre{{}, 1, {}, false, 0, {}}).add(Erspan{type, session, false});
}

PacketBuilder& PacketBuilder::payload(std::string_view text) { return payload(Octets(text.begin(), text.end())); }

PacketBuilder& PacketBuilder::ttl(std::uint8_t n) {
  if (auto* ip = std::get_if<Ipv6>(&layers_.back())) {
    ip->hop_limit = n;
    return *this;
  }
  return with<Ipv4>([&](Ipv4& ip) { ip.ttl = n; });
}

PacketBuilder& PacketBuilder::traffic_class(std::uint8_t n) {
  if (auto* ip = std::get_if<Ipv6>(&layers_.back())) {
    ip->traffic_class = n;
    return *this;
  }
  return with<Ipv4>([&](Ipv4& ip) { ip.tos = n; });
}

PacketBuilder& PacketBuilder::id(std::uint16_t n) {
  return with<Ipv4>([&](Ipv4& ip) { ip.id = n; });
}

PacketBuilder& PacketBuilder::fragment(std::uint16_t offset, bool more) {
  return with<Ipv4>(
      [&](Ipv4& ip) { ip.fragment_field = static_cast<std::uint16_t>(offset / 8 | (more ? 0x2000 : 0)); });
}

PacketBuilder& PacketBuilder::dont_fragment() {
  return with<Ipv4>([&](Ipv4& ip) { ip.fragment_field = 0x4000; });
}

PacketBuilder& PacketBuilder::ip_options(Octets o) {
  if (o.size() % 4 != 0) throw std::invalid_argument("IPv4 options come in words");
  return with<Ipv4>([&](Ipv4& ip) { ip.options = std::move(o); });
}

PacketBuilder& PacketBuilder::ip_length(std::uint16_t n) {
  if (auto* ip = std::get_if<Ipv6>(&layers_.back())) {
    ip->payload_length = n;
    return *this;
  }
  return with<Ipv4>([&](Ipv4& ip) { ip.total_length = n; });
}

PacketBuilder& PacketBuilder::protocol(std::uint8_t n) {
  if (auto* ip = std::get_if<Ipv6>(&layers_.back())) {
    ip->protocol = n;
    return *this;
  }
  if (auto* f = std::get_if<FragmentHeader>(&layers_.back())) {
    f->protocol = n;
    return *this;
  }
  return with<Ipv4>([&](Ipv4& ip) { ip.protocol = n; });
}

PacketBuilder& PacketBuilder::maximum_segment(std::uint16_t n) {
  return tcp_options({2, 4, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)});
}

PacketBuilder& PacketBuilder::window_scale(std::uint8_t n) { return tcp_options({3, 3, n}); }
PacketBuilder& PacketBuilder::sack_permitted() { return tcp_options({4, 2}); }

// On a word border two NOPs go in front, as all stacks do it (RFC 7323 appendix A).
PacketBuilder& PacketBuilder::timestamps(std::uint32_t value, std::uint32_t echo) {
  return with<Tcp>([&](Tcp& t) {
    if (t.options.size() % 4 == 0) t.options.insert(t.options.end(), {1, 1});
    t.options.insert(t.options.end(), {8, 10});
    put32(t.options, value);
    put32(t.options, echo);
  });
}

PacketBuilder& PacketBuilder::sack(std::initializer_list<std::pair<std::uint32_t, std::uint32_t>> blocks) {
  return with<Tcp>([&](Tcp& t) {
    if (t.options.size() % 4 == 0) t.options.insert(t.options.end(), {1, 1});
    t.options.push_back(5);
    t.options.push_back(static_cast<std::uint8_t>(2 + 8 * blocks.size()));
    for (const auto& [left, right] : blocks) {
      put32(t.options, left);
      put32(t.options, right);
    }
  });
}

PacketBuilder& PacketBuilder::tcp_options(std::initializer_list<std::uint8_t> octets) {
  return with<Tcp>([&](Tcp& t) { t.options.insert(t.options.end(), octets); });
}

Octets PacketBuilder::octets() const {
  Octets out;
  Naming next;
  for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
    out = put_around(*layer, out, next);
    next = name_of(*layer);
  }
  out.shrink_to_fit();
  return out;
}

BuiltFrame PacketBuilder::build() const {
  BuiltFrame f;
  f.octets = octets();
  f.wire_length = static_cast<std::uint32_t>(f.octets.size());
  f.link = link_;
  f.time = time_;
  return f;
}

BuiltFrame PacketBuilder::padded(std::size_t to) const {
  BuiltFrame f = build();
  f.octets.resize(std::max(to, f.octets.size()), 0xee);
  f.wire_length = static_cast<std::uint32_t>(f.octets.size());
  return f;
}

PacketBuilder linux_cooked(int version) {
  return PacketBuilder(version == 2 ? LinkType::linux_cooked_v2 : LinkType::linux_cooked_v1)
      .add(LinuxCooked{version, {}});
}

PacketBuilder bsd(LinkType link, std::uint8_t family, bool big_endian) {
  return PacketBuilder(link).add(BsdFamily{family, big_endian});
}

PacketBuilder ppp(bool address_and_control) { return PacketBuilder(LinkType::ppp).add(Ppp{address_and_control}); }

std::vector<PayloadPiece> pieces(const Octets& ip_payload, std::size_t size) {
  std::vector<PayloadPiece> out;
  for (std::size_t at = 0; at < ip_payload.size(); at += size) {
    const std::size_t n = std::min(size, ip_payload.size() - at);
    const auto from = ip_payload.begin() + static_cast<std::ptrdiff_t>(at);
    out.push_back({static_cast<std::uint16_t>(at), Octets(from, from + static_cast<std::ptrdiff_t>(n)),
                   at + n < ip_payload.size()});
  }
  return out;
}

}  // namespace probe::kit
