#include "probe/dpdk/join_area.h"

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <random>

namespace probe::dpdk {
namespace {

TEST(JoinArea, GivesNothingWhenItIsFullAndEverythingAfterwards) {
  JoinArea area(1000);
  EXPECT_EQ(area.take(1001), nullptr);
  ASSERT_NE(area.take(600), nullptr);
  const std::uint64_t first = area.mark();
  ASSERT_NE(area.take(400), nullptr);
  const std::uint64_t second = area.mark();
  EXPECT_EQ(area.take(1), nullptr);
  area.give(first);
  EXPECT_EQ(area.in_use(), 400u);
  ASSERT_NE(area.take(600), nullptr);
  EXPECT_EQ(area.take(1), nullptr);
  area.give(second);
  EXPECT_EQ(area.in_use(), 600u);
}

TEST(JoinArea, NeverHandsOutOctetsThatAreInUse) {
  struct Taken {
    std::uint8_t* begin;
    std::size_t octets;
    std::uint8_t fill;
    std::uint64_t mark;
  };
  JoinArea area(10'000);
  std::mt19937 random(1);
  std::deque<Taken> taken;
  std::size_t refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::size_t octets = 1 + random() % 3000;
    if (std::uint8_t* const p = area.take(octets)) {
      std::memset(p, i & 255, octets);
      taken.push_back({p, octets, static_cast<std::uint8_t>(i), area.mark()});
    } else {
      ++refused;
      ASSERT_FALSE(taken.empty()) << "empty and yet full";
    }
    while (!taken.empty() && random() % 2) {
      const Taken& t = taken.front();
      for (std::size_t k = 0; k < t.octets; ++k) ASSERT_EQ(t.begin[k], t.fill);
      area.give(t.mark);
      taken.pop_front();
    }
  }
  EXPECT_GT(refused, 100u);
}

}  // namespace
}  // namespace probe::dpdk
