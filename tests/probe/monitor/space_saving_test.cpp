#include "probe/monitor/space_saving.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace probe::monitor {
namespace {

using Sketch = SpaceSaving<int, std::uint64_t, std::hash<int>>;

TEST(SpaceSaving, IsExactWhileThereIsRoom) {
  Sketch s(10);
  for (int i = 0; i < 10; ++i)
    for (int n = 0; n <= i; ++n) s.add(i, 1) += 1;
  for (const auto& e : s.entries()) {
    EXPECT_EQ(e.weight, static_cast<std::uint64_t>(e.key) + 1);
    EXPECT_EQ(e.values, e.weight);
  }
  EXPECT_EQ(s.find(11), nullptr);
}

TEST(SpaceSaving, TheLightestGivesWayAndItsWeightIsInherited) {
  Sketch s(2);
  s.add(1, 10) += 10;
  s.add(2, 3) += 3;
  s.add(3, 5) += 5;
  EXPECT_EQ(s.find(2), nullptr);
  ASSERT_NE(s.find(3), nullptr);
  EXPECT_EQ(*s.find(3), 5u);  // what came since it entered
  EXPECT_EQ(s.entries()[1].weight, 8u);
  EXPECT_EQ(s.entries().size(), 2u);
}

// The promise of the paper, over a skewed stream: nobody above total / capacity is missed, weights are never too small,
// values never too great, and the sum of all weights is what came.
TEST(SpaceSaving, MissesNobodyAboveItsShareAndNeverCountsTooMuch) {
  std::mt19937 random(7);
  constexpr std::size_t kCapacity = 50;
  Sketch s(kCapacity);
  std::map<int, std::uint64_t> truth;
  std::uint64_t total = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double u = std::uniform_real_distribution<>(0, 1)(random);
    const int key = static_cast<int>(1 / (u + 1e-4));
    const std::uint64_t weight = random() % 100;
    s.add(key, weight) += weight;
    truth[key] += weight;
    total += weight;
  }
  ASSERT_GT(truth.size(), 10 * kCapacity);
  std::uint64_t sum = 0;
  for (const auto& e : s.entries()) {
    EXPECT_GE(e.weight, truth[e.key]);
    EXPECT_LE(e.values, truth[e.key]);
    sum += e.weight;
  }
  EXPECT_EQ(sum, total);
  for (const auto& [key, weight] : truth) EXPECT_TRUE(weight <= total / kCapacity || s.find(key) != nullptr) << key;
}

}  // namespace
}  // namespace probe::monitor
