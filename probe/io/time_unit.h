// The unit in which an interface of a capture counts time, and the way from there to nanoseconds since 1970.
#pragma once

#include <cstdint>

#include "probe/base/nanos.h"

namespace probe::io {

class TimeUnit {
 public:
  // `resolution` as in the option if_tsresol: 10^-n seconds, or 2^-n with the top bit set (pcapng §4.2). `offset` in
  // seconds is added. Without arguments: microseconds, the format's default.
  explicit TimeUnit(std::uint8_t resolution = 6, std::int64_t offset = 0);

  // Units since 1970. Times outside of what Nanos can hold (1677 to 2262) become its first or last one.
  Nanos nanos(std::uint64_t units) const {
    __extension__ using Wide = __int128;
    const Wide scaled = static_cast<Wide>(divisor_ == 1 ? units : units / divisor_) * multiplier_ >> shift_;
    return saturate(scaled + offset_);
  }

 private:
  __extension__ static Nanos saturate(__int128 value) {
    if (value > INT64_MAX) return INT64_MAX;
    if (value < INT64_MIN) return INT64_MIN;
    return static_cast<Nanos>(value);
  }

  std::uint64_t divisor_ = 1;
  std::uint32_t multiplier_ = 0;
  std::uint8_t shift_ = 0;
  Nanos offset_ = 0;
};

}  // namespace probe::io
