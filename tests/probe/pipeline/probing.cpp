#include "tests/probe/pipeline/probing.h"

#include "exporter/text/fields.h"
#include "exporter/text/value.h"

namespace probe::test {

Seen seen(const Record& r) {
  Seen out{std::string(schema::kKinds[r.kind()].name), {}};
  std::string scratch;
  for_each_field(r, [&](std::size_t place, const schema::Element& e) {
    const Value v = value_of(r, place, scratch);
    const auto* text = std::get_if<std::string_view>(&v);
    const auto* fraction = std::get_if<double>(&v);
    out.values[std::string(e.name())] = text       ? std::string(*text)
                                        : fraction ? std::to_string(*fraction)
                                                   : std::to_string(std::get<std::uint64_t>(v));
  });
  return out;
}

Probing& Probing::play(const std::vector<kit::BuiltFrame>& frames, std::size_t burst) {
  for (std::size_t at = 0; at < frames.size(); at += burst) {
    std::vector<Packet> packets;
    decoder_.new_burst();
    for (std::size_t i = at; i < std::min(at + burst, frames.size()); ++i) {
      Packet p;
      now_ = std::max(now_, frames[i].time);
      if (decoder_.decode(frames[i].frame(), p)) packets.push_back(p);
    }
    pipeline.on_burst(packets, now_);
  }
  return *this;
}

Connection& Connection::send(unsigned from, int flags, std::string_view payload) {
  const unsigned to = 1 - from;
  const std::string address[] = {"10.0.0.1", "10.0.0.2"};
  kit::PacketBuilder b = kit::ethernet();
  b.ipv4(address[from], address[to]).ttl(from == 0 ? 64 : 57);
  b.tcp(ports_[from], ports_[to]).seq(next_[from]).flags(flags);
  if ((flags & tcp_flag::kAck) != 0) b.ack(next_[to]);
  if (!payload.empty()) b.payload(payload);
  frames.push_back(b.time(now_).build());
  const bool one = (flags & (tcp_flag::kSyn | tcp_flag::kFin)) != 0;
  next_[from] += static_cast<std::uint32_t>(payload.size()) + (one ? 1 : 0);
  return *this;
}

kit::BuiltFrame datagram(Nanos time, std::uint16_t source, std::uint16_t destination, std::size_t octets,
                         const std::string& from, const std::string& to) {
  return kit::ethernet().ipv4(from, to).udp(source, destination).zeros(octets).time(time).build();
}

}  // namespace probe::test
