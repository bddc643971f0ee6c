#include "probe/io/time_unit.h"

#include <gtest/gtest.h>

namespace probe::io {
namespace {

constexpr std::uint8_t kPowerOfTwo = 0x80;

TEST(TimeUnit, CountsMicrosecondsUnlessToldOtherwise) { EXPECT_EQ(TimeUnit().nanos(1'234'567), 1'234'567'000); }

TEST(TimeUnit, TurnsEveryPowerOfTenIntoNanoseconds) {
  EXPECT_EQ(TimeUnit(0).nanos(3), 3 * kSecond);
  EXPECT_EQ(TimeUnit(3).nanos(3), 3 * kMillisecond);
  EXPECT_EQ(TimeUnit(9).nanos(3), 3);
  EXPECT_EQ(TimeUnit(12).nanos(3'999), 3);
  EXPECT_EQ(TimeUnit(19).nanos(30'000'000'000), 3);
  EXPECT_EQ(TimeUnit(28).nanos(UINT64_MAX), 1);
  EXPECT_EQ(TimeUnit(29).nanos(UINT64_MAX), 0);
  EXPECT_EQ(TimeUnit(127).nanos(UINT64_MAX), 0);
}

TEST(TimeUnit, TurnsEveryPowerOfTwoIntoNanoseconds) {
  EXPECT_EQ(TimeUnit(kPowerOfTwo).nanos(3), 3 * kSecond);
  EXPECT_EQ(TimeUnit(kPowerOfTwo | 1).nanos(3), 3 * kSecond / 2);
  EXPECT_EQ(TimeUnit(kPowerOfTwo | 32).nanos((std::uint64_t{1'700'000'000} << 32) | 0x80000000),
            1'700'000'000 * kSecond + kSecond / 2);
  EXPECT_EQ(TimeUnit(kPowerOfTwo | 64).nanos(UINT64_MAX), kSecond - 1);
  EXPECT_EQ(TimeUnit(kPowerOfTwo | 127).nanos(UINT64_MAX), 0);
}

TEST(TimeUnit, AddsAnOffsetInSecondsOfEitherSign) {
  EXPECT_EQ(TimeUnit(6, 1'000'000'000).nanos(5), 1'000'000'000 * kSecond + 5'000);
  EXPECT_EQ(TimeUnit(9, -2).nanos(5), -2 * kSecond + 5);
}

TEST(TimeUnit, KeepsTimesThatDoNotFitAtTheEdge) {
  EXPECT_EQ(TimeUnit(0).nanos(UINT64_MAX), INT64_MAX);
  EXPECT_EQ(TimeUnit(kPowerOfTwo).nanos(UINT64_MAX), INT64_MAX);
  EXPECT_EQ(TimeUnit(6, INT64_MAX).nanos(UINT64_MAX), INT64_MAX);
  EXPECT_EQ(TimeUnit(6, INT64_MIN).nanos(0), INT64_MIN);
}

}  // namespace
}  // namespace probe::io
