// How evenly the values of octets are distributed in the first payload of each sender.
#pragma once

#include <array>
#include <cstdint>

#include "probe/base/bytes.h"

namespace probe::traffic {

class PayloadOctets {
 public:
  static constexpr std::uint16_t kMost = 1024;  // octets of each sender that are looked at

  void add(unsigned sender, Bytes payload);
  void start_interval() { *this = {}; }

  bool any(unsigned sender) const { return seen_[sender] > 0; }
  // Shannon's entropy in bits per octet, times 32: 255 stands for 8 bits. If there are any.
  std::uint8_t entropy(unsigned sender) const;

 private:
  std::array<std::uint16_t, 2> seen_{};
  std::array<std::array<std::uint16_t, 256>, 2> counts_{};
};

}  // namespace probe::traffic
