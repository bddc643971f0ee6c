// The clocks of a running probe.
#pragma once

#include <chrono>

#include "probe/base/nanos.h"

namespace probe::run {

// Of a clock that is never set.
inline Nanos steady_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Since 1970.
inline Nanos wall_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace probe::run
