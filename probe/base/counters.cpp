#include "probe/base/counters.h"

namespace probe {

const CounterInfo& info_of(Counter c) {
  static constexpr CounterInfo kInfos[] = {
#define COUNTER(name, unit, meaning) {#name, unit, meaning},
#include "probe/base/counters.inc"
#undef COUNTER
  };
  return kInfos[static_cast<std::size_t>(c)];
}

}  // namespace probe
