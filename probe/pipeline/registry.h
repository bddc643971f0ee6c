// Every dissector in the build, in the order of their names.
#pragma once

#include <span>

#include "dissectors/dissector.h"

namespace probe {

// At most kMostDissectors: sets of them are bits of a word, in this order.
inline constexpr std::size_t kMostDissectors = 64;
std::span<const Dissector* const> dissectors();

}  // namespace probe
