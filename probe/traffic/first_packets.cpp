#include "probe/traffic/first_packets.h"

#include <algorithm>
#include <charconv>

namespace probe::traffic {

void FirstPackets::add(const Packet& p) {
  const Nanos gap = count_ == 0 ? 0 : std::max<Nanos>(p.time - before_, 0);
  before_ = p.time;
  gaps_us_[count_] = static_cast<std::uint32_t>(std::min<Nanos>(gap / kMicrosecond, 0xffffffff));
  octets_[count_] = static_cast<std::uint16_t>(std::min<std::uint32_t>(p.payload_length, 0xffff));
  from_high_ = static_cast<std::uint16_t>(from_high_ | p.from_high << count_);
  ++count_;
}

std::uint8_t FirstPackets::directions(unsigned initiator) const {
  unsigned bits = 0;
  for (unsigned i = 0; i < std::min<unsigned>(count_, 8); ++i) bits |= (from_responder(i, initiator) ? 1u : 0u) << i;
  return static_cast<std::uint8_t>(bits);
}

std::string_view FirstPackets::write(unsigned initiator, std::span<char, kTextOctets> out) const {
  char* at = out.data();
  char* const end = at + out.size();
  for (unsigned i = 0; i < count_; ++i) {
    if (i > 0) *at++ = ',';
    if (from_responder(i, initiator)) *at++ = '-';
    at = std::to_chars(at, end, octets_[i]).ptr;
    *at++ = '/';
    at = std::to_chars(at, end, gaps_us_[i]).ptr;
  }
  return {out.data(), static_cast<std::size_t>(at - out.data())};
}

}  // namespace probe::traffic
