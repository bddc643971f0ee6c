#include "probe/tcp/holes.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace probe::tcp {
namespace {

constexpr Hole hole(std::uint32_t begin, std::uint32_t end) { return {begin, end, begin, end, 0, 0, false}; }

TEST(Holes, AreFilledFromEitherEndAndFromTheMiddle) {
  Holes h;
  EXPECT_FALSE(h.open(hole(100, 200), 0));
  EXPECT_EQ(h.fill(90, 110, 0).octets, 10u);
  EXPECT_EQ(h.fill(190, 300, 0).octets, 10u);
  EXPECT_EQ(h.fill(140, 160, 0).octets, 20u);
  EXPECT_EQ(h.fill(140, 160, 0).octets, 0u);
  EXPECT_EQ(h.octets(0, 1000), 60u);
  EXPECT_EQ(h.fill(0, 1000, 0).octets, 60u);
  EXPECT_TRUE(h.empty());
}

TEST(Holes, TellWhatWasAcknowledgedAndTheFirstHoleTouched) {
  Holes h;
  h.open(hole(100, 200), 0);
  h.open(hole(300, 400), 0);
  const Holes::Fill f = h.fill(150, 350, 320);
  EXPECT_EQ(f.octets, 100u);
  EXPECT_EQ(f.acknowledged, 70u);
  EXPECT_EQ(f.hole.begin, 100u);
  EXPECT_EQ(f.hole.end, 200u);
}

TEST(Holes, LieAcrossTheWrap) {
  Holes h;
  h.open(hole(0xffffff00, 0x100), 0xffffff00);
  EXPECT_EQ(h.octets(0xfffffff0, 0x10), 32u);
  const Holes::Fill f = h.fill(0xfffffff0, 0x10, 0);
  EXPECT_EQ(f.octets, 32u);
  EXPECT_EQ(f.acknowledged, 16u);
  EXPECT_EQ(h.octets(0xffffff00, 0x100), 480u);
}

TEST(Holes, ForgetTheOldestAndSayWhetherItMatters) {
  Holes h;
  for (std::uint32_t i = 0; i < Holes::kCapacity; ++i) EXPECT_FALSE(h.open(hole(100 * i + 1, 100 * i + 50), 0));
  EXPECT_FALSE(h.open(hole(5000, 5001), 60));  // the first one was acknowledged: it will not be filled
  EXPECT_TRUE(h.open(hole(6000, 6001), 60));
  EXPECT_EQ(h.octets(0, 200), 0u);
}

TEST(Holes, SayWhenThereIsNoRoomForWhatIsLeft) {
  Holes h;
  for (std::uint32_t i = 0; i < Holes::kCapacity; ++i) h.open(hole(100 * i, 100 * i + 50), 0);
  EXPECT_TRUE(h.fill(10, 20, 0).forgot);
  EXPECT_FALSE(h.fill(100, 110, 0).forgot);
}

TEST(Holes, OpenBeforeTheOthers) {
  Holes h;
  h.open(hole(500, 600), 0);
  h.open(hole(100, 200), 0);
  EXPECT_EQ(h.fill(150, 550, 0).hole.begin, 100u);
}

TEST(Holes, AgreeWithASetOfOctets) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    Holes h;
    std::set<std::uint32_t> missing;
    const std::uint32_t start = round % 2 == 0 ? 1000u : 0xffffffe0u;
    std::uint32_t top = start;
    for (int step = 0; step < 40; ++step) {
      const std::uint32_t from = random() % 120, to = from + random() % 30;
      if (random() % 3 == 0 && missing.size() < 60) {
        const std::uint32_t n = 1 + random() % 10;
        const Hole opened{top + 1, top + 1 + n, 0, 0, 0, 0, false};
        if (h.open(opened, start)) break;
        for (std::uint32_t i = 0; i < n; ++i) missing.insert(opened.begin - start + i);
        top += n + 1;
        continue;
      }
      const Holes::Fill f = h.fill(start + from, start + to, start);
      if (f.forgot) break;
      std::uint32_t expected = 0;
      for (std::uint32_t i = from; i < to; ++i) expected += static_cast<std::uint32_t>(missing.erase(i));
      ASSERT_EQ(f.octets, expected);
      ASSERT_EQ(h.octets(start, start + 1000), missing.size());
    }
  }
}

}  // namespace
}  // namespace probe::tcp
