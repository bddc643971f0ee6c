#include "dissectors/kit/quic_header.h"

namespace probe::quic {
namespace {

constexpr std::uint32_t kVersion1 = 1, kVersion2 = 0x6b3343cf;
// Draft 22 was the first with the long header of RFC 9000, draft 34 the last.
constexpr std::uint32_t kFirstDraft = 0xff000016, kLastDraft = 0xff000022;
constexpr std::size_t kRetryTag = 16;

constexpr bool is_known(std::uint32_t version) {
  return version == kVersion1 || version == kVersion2 || (version >= kFirstDraft && version <= kLastDraft);
}

// RFC 9000 §15: for clients to find out whether the server negotiates. The octets behind the connection IDs mean
// nothing.
constexpr bool is_reserved(std::uint32_t version) { return (version & 0x0f0f0f0f) == 0x0a0a0a0a; }

PacketType type_of(std::uint8_t first, std::uint32_t version) {
  constexpr PacketType kTypes[] = {PacketType::initial, PacketType::zero_rtt, PacketType::handshake, PacketType::retry};
  const unsigned bits = first >> 4 & 3u;
  return kTypes[version == kVersion2 ? (bits + 3) % 4 : bits];  // RFC 9369 §3.2
}

// RFC 9000 §16.
std::uint64_t variable_length(Cursor& c) {
  const std::uint8_t first = c.u8();
  std::uint64_t value = first & 0x3fu;
  for (unsigned left = (1u << (first >> 6)) - 1; left > 0; --left) value = value << 8 | c.u8();
  return value;
}

// RFC 9000 §17.2.1: the versions that the server has. One of them must be known, or this may be anything.
bool read_versions(Cursor& c) {
  bool known = false;
  if (c.left() == 0 || c.left() % 4 != 0) return false;
  while (c.left() > 0) known = is_known(c.u32()) || known;
  return known;
}

Bytes read_id(Cursor& c) {
  const std::size_t octets = c.u8();
  return octets <= kMostIdOctets ? c.take(octets) : c.take(c.left() + 1);
}

}  // namespace

std::optional<LongHeader> read_long_header(Bytes packet) {
  Cursor c(packet);
  LongHeader h;
  const std::uint8_t first = c.u8();
  if ((first & 0x80) == 0) return std::nullopt;
  h.version = c.u32();
  h.destination = read_id(c);
  h.source = read_id(c);
  if (!c.ok()) return std::nullopt;
  if (h.version == 0) {
    h.type = PacketType::version_negotiation;
    return read_versions(c) ? std::optional(h) : std::nullopt;
  }
  if (is_reserved(h.version) && h.destination.size() >= kLeastOriginalOctets) {
    h.type = PacketType::initial;
    return h;
  }
  if (!is_known(h.version)) return std::nullopt;
  h.type = type_of(first, h.version);
  if (h.type == PacketType::retry) return c.left() >= kRetryTag ? std::optional(h) : std::nullopt;
  if (h.type == PacketType::initial) {
    const std::uint64_t token = variable_length(c);
    h.token = token > 0;
    c.skip(token < c.left() ? static_cast<std::size_t>(token) : c.left() + 1);
  }
  const std::uint64_t length = variable_length(c);
  if (!c.ok()) return std::nullopt;
  if (length < c.left()) h.rest = c.rest().subspan(static_cast<std::size_t>(length));
  return h;
}

}  // namespace probe::quic
