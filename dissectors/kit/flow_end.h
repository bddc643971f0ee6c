// One end of a flow.
#pragma once

#include <cstdint>

#include "probe/base/hash.h"

namespace probe {

// Address as in probe/packet: two words in host order; IPv4 stands in the low 32 bits of `low`.
struct FlowEnd {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::uint16_t port = 0;

  bool operator==(const FlowEnd&) const = default;
  std::uint64_t hash() const { return mix(low, high ^ (std::uint64_t{port} << 48)); }
};

}  // namespace probe
