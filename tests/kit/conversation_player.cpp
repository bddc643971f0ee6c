#include "tests/kit/conversation_player.h"

#include <cstring>
#include <utility>

namespace probe::test {

Traffic Traffic::cut(std::size_t octets) const {
  Traffic out{key, {}};
  for (const Sent& s : packets) {
    if (!is_tcp() || s.payload.size() <= octets) {
      out.packets.push_back(s);
      continue;
    }
    const std::uint32_t syn = (s.flags & tcp_flag::kSyn) ? 1 : 0;
    for (std::size_t at = 0; at < s.payload.size(); at += octets) {
      Sent piece = s;
      const bool last = at + octets >= s.payload.size();
      piece.payload = s.payload.substr(at, octets);
      piece.sequence += static_cast<std::uint32_t>(at) + (at > 0 ? syn : 0);
      if (at > 0) piece.flags &= static_cast<std::uint8_t>(~tcp_flag::kSyn);
      if (!last) piece.flags &= static_cast<std::uint8_t>(~(tcp_flag::kFin | tcp_flag::kRst));
      if (!last) piece.cut = 0;
      out.packets.push_back(piece);
    }
  }
  return out;
}

Traffic Traffic::without(std::size_t packet) const {
  Traffic out = *this;
  out.packets.erase(out.packets.begin() + static_cast<std::ptrdiff_t>(packet));
  return out;
}

Traffic Traffic::first(std::size_t n) const {
  return {key, {packets.begin(), packets.begin() + static_cast<std::ptrdiff_t>(std::min(n, packets.size()))}};
}

Traffic Traffic::repeated() const {
  Traffic out{key, {}};
  for (const Sent& s : packets) {
    out.packets.push_back(s);
    out.packets.push_back(s);
  }
  return out;
}

Traffic Traffic::swapped() const {
  Traffic out = *this;
  for (std::size_t i = 0; is_tcp() && i + 1 < out.packets.size(); ++i) {
    Sent &a = out.packets[i], &b = out.packets[i + 1];
    if (a.sender != b.sender || a.payload.empty() || b.payload.empty() || a.sequence == b.sequence) continue;
    std::swap(a, b);
    std::swap(a.time, b.time);
    ++i;
  }
  return out;
}

// As the flow layer would tell: by SYN, else by the lower port of the server.
void Player::learn(const Packet& p, unsigned sender) {
  facts_.start_seen = facts_.start_seen || !p.is_tcp();
  if (p.is_tcp() && p.tcp.has(tcp_flag::kSyn)) {
    const bool answer = p.tcp.has(tcp_flag::kAck);
    facts_.client = answer ? 1 - sender : sender;
    facts_.client_certain = facts_.start_seen = true;
    facts_.first_known[sender] = true;
    facts_.first_sequence[sender] = p.tcp.sequence + 1;
  }
  if (!facts_.client_certain) facts_.client = key_.low_port < key_.high_port ? 1 : 0;
}

SentPacket::SentPacket(const FlowKey& key, const Sent& s) : payload_(new std::uint8_t[s.payload.size()]) {
  std::memcpy(payload_.get(), s.payload.data(), s.payload.size());
  packet_.key = key;
  packet_.time = s.time;
  packet_.from_high = s.sender == 1;
  packet_.payload = Bytes(payload_.get(), s.payload.size());
  packet_.payload_length = static_cast<std::uint32_t>(s.payload.size()) + s.cut;
  packet_.cut = s.cut > 0;
  packet_.tcp.sequence = s.sequence;
  packet_.tcp.acknowledgement = s.acknowledgement;
  packet_.tcp.flags = s.flags;
}

void Player::packet(const Packet& p) {
  const unsigned sender = p.from_high;
  learn(p, sender);
  if (!conversation_ && !over_ && p.payload_length > 0) conversation_ = dissection_.open();
  if (!conversation_) return;
  if (p.payload_length > 0 || p.tcp.has(tcp_flag::kFin) || p.tcp.has(tcp_flag::kRst))
    conversation_->on_payload(p, facts_, *scribe_);
  else if (p.tcp.has(tcp_flag::kAck))
    conversation_->on_acknowledged(1 - sender, p.tcp.acknowledgement, p.time, *scribe_);
  if (conversation_->dead()) close();
}

void Player::close() {
  conversation_->finish(*scribe_);
  if (const Dissector* d = conversation_->protocol()) protocol_ = d->name;
  client_ = conversation_->client();
  quality_ = conversation_->quality();
  dissection_.close(std::exchange(conversation_, nullptr));
  over_ = true;
}

}  // namespace probe::test
