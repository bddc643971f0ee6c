// Marks that limit the trust in a record's values: elements measurementQuality and transactionQuality.
#pragma once

#include <cstdint>
#include <string_view>

namespace probe {

enum class Quality : std::uint32_t {
#define QUALITY(bit, name, meaning) name = 1u << bit,
#include "probe/base/quality.inc"
#undef QUALITY
};
constexpr std::uint32_t bit_of(Quality q) { return static_cast<std::uint32_t>(q); }

struct QualityInfo {
  Quality quality;
  std::string_view name, meaning;
};
inline constexpr QualityInfo kQualities[] = {
#define QUALITY(bit, name, meaning) {Quality::name, #name, meaning},
#include "probe/base/quality.inc"
#undef QUALITY
};

}  // namespace probe
