#include "probe/tcp/rtt.h"

#include <gtest/gtest.h>

#include "probe/tcp/outstanding.h"

namespace probe::tcp {
namespace {

TEST(RttStatistics, HasLeastMeanGreatestAndDeviation) {
  RttStatistics r;
  EXPECT_EQ(r.standard_deviation_us(), 0u);
  for (const Nanos us : {2, 4, 4, 4, 5, 5, 7, 9}) r.add(us * 1'000'000);
  EXPECT_EQ(r.count, 8u);
  EXPECT_EQ(r.min_us, 2000u);
  EXPECT_EQ(r.max_us, 9000u);
  EXPECT_DOUBLE_EQ(r.mean_us, 5000);
  EXPECT_EQ(r.standard_deviation_us(), 2000u);
}

TEST(RecentMinimum, ForgetsAPathThatHasChanged) {
  RecentMinimum m;
  EXPECT_EQ(m.least_us(), RecentMinimum::kNone);
  m.add(100, 0xffff0000);  // the clock wraps meanwhile
  m.add(500, 1'000);
  EXPECT_EQ(m.least_us(), 100u);
  for (std::uint32_t s = 1; s <= 30; ++s) m.add(500, s * 1'000'000);
  EXPECT_EQ(m.least_us(), 500u);
}

TEST(RecentMinimum, KeepsTheLeastOfTheSpellBefore) {
  RecentMinimum m;
  m.add(100, 0);
  m.add(300, RecentMinimum::kSpellUs);
  EXPECT_EQ(m.least_us(), 100u);
}

TEST(Outstanding, DatesTheSegmentThatEndsAtTheAcknowledgement) {
  Outstanding o;
  o.push(100, 1);
  o.push(200, 2);
  o.push(300, 3);
  EXPECT_EQ(o.acknowledge(50), std::nullopt);
  EXPECT_EQ(o.acknowledge(200), 2u);
  EXPECT_EQ(o.acknowledge(250), std::nullopt);  // inside of a segment
  EXPECT_EQ(o.acknowledge(300), 3u);
  EXPECT_TRUE(o.empty());
}

TEST(Outstanding, ForgetsWhatLiesBehindARetransmission) {
  Outstanding o;
  o.push(100, 1);
  o.push(200, 2);
  o.push(300, 3);
  o.forget_behind(100);
  EXPECT_EQ(o.acknowledge(300), std::nullopt);
  o.push(400, 4);
  EXPECT_EQ(o.acknowledge(400), 4u);
}

TEST(Outstanding, KeepsTheOldestAndTheNewestWhenItIsFull) {
  Outstanding o;
  constexpr std::uint32_t kSegments = 3 * Outstanding::kCapacity;
  for (std::uint32_t i = 1; i <= kSegments; ++i) o.push(i * 100, i);
  EXPECT_EQ(o.acknowledge(200), 2u);
  EXPECT_EQ(o.acknowledge((Outstanding::kCapacity + 1) * 100), std::nullopt);
  EXPECT_EQ(o.acknowledge(kSegments * 100), kSegments);
}

TEST(Outstanding, GoesRoundAndAcrossTheWrap) {
  Outstanding o;
  std::uint32_t end = 0xfffff000;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    o.push(end += 100, i);
    o.push(end += 100, i);
    ASSERT_EQ(o.acknowledge(end), i);
  }
}

}  // namespace
}  // namespace probe::tcp
