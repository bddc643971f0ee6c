// A SYN as text in the style of p0f (docs/METRICS.md), by which systems and middle boxes can be told.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "probe/tcp/sending.h"

namespace probe::tcp {

inline constexpr std::size_t kLongestFingerprint = 128;

// In `room`.
std::string_view fingerprint(const SynSeen&, bool ipv6, std::span<char, kLongestFingerprint> room);

}  // namespace probe::tcp
