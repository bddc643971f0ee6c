// Order of TCP sequence numbers and timestamps, which wrap around (RFC 9293 §3.4, RFC 7323 §5.2).
#pragma once

#include <cstdint>

namespace probe {

// How far b is ahead of a, negative if it is behind.
constexpr std::int32_t sequence_distance(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(b - a); }
constexpr bool sequence_before(std::uint32_t a, std::uint32_t b) { return sequence_distance(a, b) > 0; }
constexpr bool sequence_at_or_before(std::uint32_t a, std::uint32_t b) { return sequence_distance(a, b) >= 0; }

}  // namespace probe
