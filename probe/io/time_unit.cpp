#include "probe/io/time_unit.h"

namespace probe::io {

TimeUnit::TimeUnit(std::uint8_t resolution, std::int64_t offset) {
  constexpr std::uint8_t kPowerOfTwo = 0x80;
  constexpr int kNanosPower = 9, kLargestPowerInU64 = 19;
  __extension__ using Wide = __int128;
  offset_ = saturate(static_cast<Wide>(offset) * kSecond);
  const int power = resolution & ~kPowerOfTwo;
  if (resolution & kPowerOfTwo) {
    // units < 2^64 and 10^9 < 2^30: the product fits, and a shift by up to 127 is defined.
    multiplier_ = static_cast<std::uint32_t>(kSecond);
    shift_ = static_cast<std::uint8_t>(power);
    return;
  }
  if (power - kNanosPower > kLargestPowerInU64) return;  // even 2^64 such units are less than a nanosecond
  multiplier_ = 1;
  for (int p = power; p < kNanosPower; ++p) multiplier_ *= 10;
  for (int p = power; p > kNanosPower; --p) divisor_ *= 10;
}

}  // namespace probe::io
