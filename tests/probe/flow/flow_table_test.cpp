#include "probe/flow/flow_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace probe {
namespace {

FlowKey key(std::uint64_t n) {
  FlowKey k;
  k.low_address.low = n >> 16;
  k.low_port = static_cast<std::uint16_t>(n);
  k.protocol = 6;
  k.ip_version = 4;
  return k;
}

TEST(FlowTable, FindsWhatWasInsertedAndNothingElse) {
  FlowTable table(100);
  const FlowIndex i = table.insert(key(1), key(1).hash());
  EXPECT_EQ(table.find(key(1), key(1).hash()), i);
  EXPECT_EQ(table.find(key(2), key(2).hash()), kNoFlow);
  EXPECT_EQ(table[i].key, key(1));
}

TEST(FlowTable, AnswersNoFlowWhenFull) {
  FlowTable table(3);
  for (std::uint64_t n = 0; n < 3; ++n) EXPECT_NE(table.insert(key(n), key(n).hash()), kNoFlow);
  EXPECT_EQ(table.insert(key(3), key(3).hash()), kNoFlow);
  table.erase(table.find(key(1), key(1).hash()));
  EXPECT_NE(table.insert(key(3), key(3).hash()), kNoFlow);
  EXPECT_EQ(table.find(key(1), key(1).hash()), kNoFlow);
}

TEST(FlowTable, KeysWithTheSameHashStayApart) {
  FlowTable table(1000);
  constexpr std::uint64_t kSameHash = 42;
  std::map<std::uint64_t, FlowIndex> expected;
  for (std::uint64_t n = 0; n < 200; ++n) expected[n] = table.insert(key(n), kSameHash);
  for (const auto& [n, i] : expected) EXPECT_EQ(table.find(key(n), kSameHash), i);
}

TEST(FlowTable, AgreesWithAMapOverManyInsertsAndErases) {
  constexpr std::size_t kCapacity = 500;
  FlowTable table(kCapacity);
  std::map<std::uint64_t, FlowIndex> model;
  std::mt19937_64 random(7);
  for (int step = 0; step < 200'000; ++step) {
    const std::uint64_t n = random() % 1500;
    const FlowKey k = key(n);
    const FlowIndex found = table.find(k, k.hash());
    const auto it = model.find(n);
    ASSERT_EQ(found, it == model.end() ? kNoFlow : it->second);
    if (found != kNoFlow && random() % 2 == 0) {
      table.erase(found);
      model.erase(n);
    } else if (found == kNoFlow) {
      const FlowIndex i = table.insert(k, k.hash());
      ASSERT_EQ(i == kNoFlow, model.size() == kCapacity);
      if (i != kNoFlow) model[n] = i;
    }
    ASSERT_EQ(table.size(), model.size());
  }
}

}  // namespace
}  // namespace probe
