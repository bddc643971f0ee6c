// Lengths and times of the first packets with payload, for those who tell applications by them (SPLT).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "probe/packet/packet.h"

namespace probe::traffic {

class FirstPackets {
 public:
  static constexpr unsigned kMost = 16;
  static constexpr std::size_t kTextOctets = kMost * 18;  // "-65535/4294967295,"

  bool wants_more() const { return count_ < most_; }
  void add(const Packet&);
  // Later packets are not the first ones, and those that were have been told.
  void close() { count_ = most_ = 0; }

  unsigned count() const { return count_; }
  // Bit i: the i-th came from the responder.
  std::uint8_t directions(unsigned initiator) const;
  // 517/0,-1460/20133: octets, negative if of the responder, and microseconds since the one before.
  std::string_view write(unsigned initiator, std::span<char, kTextOctets> out) const;

 private:
  bool from_responder(unsigned i, unsigned initiator) const { return (from_high_ >> i & 1u) != initiator; }

  Nanos before_ = 0;
  std::array<std::uint32_t, kMost> gaps_us_;
  std::array<std::uint16_t, kMost> octets_;
  std::uint16_t from_high_ = 0;  // bit i
  std::uint8_t count_ = 0, most_ = kMost;
};

}  // namespace probe::traffic
