// TABLE 3: what the probe counts about itself. Every early return on the packet path adds to one of these.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "probe/base/count.h"

namespace probe {

enum class Counter : std::uint16_t {
#define COUNTER(name, unit, meaning) name,
#include "probe/base/counters.inc"
#undef COUNTER
  kCount
};

inline constexpr std::size_t kCounterCount = static_cast<std::size_t>(Counter::kCount);

struct CounterInfo {
  std::string_view name, unit, meaning;
};
const CounterInfo& info_of(Counter);

// One thread's counters. Others may read them while it runs, and a copy is a snapshot.
class Counters {
 public:
  void add(Counter c, std::uint64_t n = 1) { values_[static_cast<std::size_t>(c)] += n; }
  std::uint64_t operator[](Counter c) const { return values_[static_cast<std::size_t>(c)].value(); }
  Counters& operator+=(const Counters& other) {
    for (std::size_t i = 0; i < kCounterCount; ++i) values_[i] += other.values_[i].value();
    return *this;
  }

 private:
  std::array<Count, kCounterCount> values_;
};

}  // namespace probe
