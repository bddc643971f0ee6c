#include "probe/live/duplicates.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include "probe/base/bytes.h"
#include "probe/base/hash.h"

namespace probe::live {
namespace {

constexpr std::size_t kCompared = 128;
constexpr int kMostTags = 4;

// From the IP header to the end of the packet, without padding; empty if it is none.
Bytes ip_packet(const Frame& f) {
  if (f.link != LinkType::ethernet && f.link != LinkType::raw_ip) return {};
  Cursor c(f.octets);
  if (f.link == LinkType::ethernet) {
    c.skip(12);
    std::uint16_t type = c.u16();
    for (int tags = 0; tags < kMostTags && (type == 0x8100 || type == 0x88a8 || type == 0x9100); ++tags) {
      c.skip(2);
      type = c.u16();
    }
    if (!c.ok() || (type != 0x0800 && type != 0x86dd)) return {};
  }
  const Bytes packet = c.rest();
  if (packet.size() < 20) return {};
  const bool v4 = packet[0] >> 4 == 4;
  Cursor length(packet);
  length.skip(v4 ? 2 : 4);
  const std::size_t octets = length.u16() + (v4 ? 0u : 40u);
  return packet.first(std::min(octets, packet.size()));
}

// Never 0 but for what has no digest.
std::uint64_t digest_of(const Frame& f) {
  const Bytes packet = ip_packet(f);
  if (packet.size() < 20) return 0;
  std::array<std::uint64_t, kCompared / 8> words{};
  std::array<std::uint8_t, kCompared> octets{};
  const std::size_t n = std::min(packet.size(), kCompared);
  std::memcpy(octets.data(), packet.data(), n);
  if (octets[0] >> 4 == 4)
    octets[8] = octets[10] = octets[11] = 0;  // TTL, header checksum
  else
    octets[7] = 0;  // hop limit
  std::memcpy(words.data(), octets.data(), n);
  std::uint64_t h = packet.size();
  for (std::size_t i = 0; 8 * i < n; ++i) h = mix(h, words[i]);
  return h | 1;
}

}  // namespace

Duplicates::Duplicates(Nanos window) : window_(window), seen_(window > 0 ? new Seen[kSets * kWays] : nullptr) {}

bool Duplicates::was_here(const Frame& f) {
  const std::uint64_t digest = digest_of(f);
  if (digest == 0) return false;
  Seen* const set = &seen_[(digest >> 48) % kSets * kWays];
  Seen* place = set;
  for (Seen* s = set; s < set + kWays; ++s) {
    if (s->digest == digest) {
      if (std::abs(f.time - s->time) <= window_) return true;
      place = s;
      break;
    }
    if (s->time < place->time) place = s;
  }
  *place = {digest, f.time};
  return false;
}

}  // namespace probe::live
