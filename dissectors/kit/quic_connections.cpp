#include "dissectors/kit/quic_connections.h"

#include <algorithm>
#include <bit>

#include "probe/base/hash.h"

namespace probe::quic {

void ConnectionId::set(Bytes id) {
  octets = {};
  size = static_cast<std::uint8_t>(std::min(id.size(), octets.size()));
  std::copy_n(id.begin(), size, octets.begin());
}

bool ConnectionId::is(Bytes id) const {
  return std::equal(id.begin(), id.end(), octets.begin(), octets.begin() + size);
}

std::uint64_t KnownConnection::Name::hash() const {
  std::uint64_t h = mix(server.hash(), std::uint64_t{id.size} << 1 | to_server);
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < id.size; ++i) {
    word = word << 8 | id.octets[i];
    if (i % 8 == 7) h = mix(h, word);
  }
  return mix(h, word);
}

void ConnectionTable::announce(KnownConnection c, const FlowEnd& server) {
  c.at.server = server;
  announce_as(c, c.server, true);
  announce_as(c, c.client, false);
}

void ConnectionTable::announce_as(KnownConnection& c, const ConnectionId& id, bool to_server) {
  if (id.size < kLeastIdOctets) return;
  c.at.id = id;
  c.at.to_server = to_server;
  if (table_.announce(c)) lengths_.fetch_or(1u << id.size, std::memory_order_relaxed);
}

bool ConnectionTable::find(const FlowEnd& server, bool to_server, Bytes packet, Nanos now, KnownConnection& out) {
  KnownConnection::Name name{.server = server, .id = {}, .to_server = to_server};
  for (std::uint32_t left = lengths_.load(std::memory_order_relaxed); left != 0; left &= left - 1) {
    const auto size = static_cast<std::size_t>(std::countr_zero(left));
    if (packet.size() <= size) return false;
    name.id.set(packet.subspan(1, size));
    if (table_.find(name, now, out)) return true;
  }
  return false;
}

}  // namespace probe::quic
