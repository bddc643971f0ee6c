// Packet time: nanoseconds since 1970-01-01 UTC. The only clock of the packet path.
#pragma once

#include <cstdint>

namespace probe {

// Signed, because differences of packet times may be negative: captures are not always in order.
using Nanos = std::int64_t;

inline constexpr Nanos kMicrosecond = 1'000;
inline constexpr Nanos kMillisecond = 1'000'000;
inline constexpr Nanos kSecond = 1'000'000'000;

}  // namespace probe
