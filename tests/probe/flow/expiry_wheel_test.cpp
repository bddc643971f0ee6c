#include "probe/flow/expiry_wheel.h"

#include <gtest/gtest.h>

#include <vector>

namespace probe {
namespace {

void fetch(const Flow&) {}

struct Wheel : testing::Test {
  FlowTable flows{100};
  ExpiryWheel wheel{flows};
  std::vector<FlowIndex> visited;

  FlowIndex add(std::uint16_t port, Nanos due) {
    FlowKey k;
    k.low_port = port;
    const FlowIndex i = flows.insert(k, k.hash());
    wheel.add(i, due);
    return i;
  }
  void turn(Nanos now) {
    visited.clear();
    wheel.turn(now, fetch, fetch, [&](FlowIndex i) { visited.push_back(i); });
  }
};

TEST_F(Wheel, VisitsAFlowOnceAfterItIsDue) {
  wheel.start(0);
  const FlowIndex i = add(1, 10 * kSecond);
  turn(10 * kSecond);
  EXPECT_TRUE(visited.empty());
  turn(13 * kSecond);
  EXPECT_EQ(visited, std::vector{i});
  turn(1000 * kSecond);
  EXPECT_TRUE(visited.empty());
}

TEST_F(Wheel, VisitsAFlowBeyondTheHorizonEarlyRatherThanNever) {
  wheel.start(0);
  const FlowIndex i = add(1, 5000 * kSecond);
  std::vector<Nanos> when;
  for (Nanos now = 0; now <= 5010 * kSecond; now += kSecond)
    wheel.turn(now, fetch, fetch, [&](FlowIndex f) {
      when.push_back(now);
      if (now < 5000 * kSecond) wheel.add(f, 5000 * kSecond);
    });
  ASSERT_FALSE(when.empty());
  EXPECT_GT(when.back(), 5000 * kSecond);
  EXPECT_LE(when.back(), 5003 * kSecond);
  EXPECT_EQ(flows[i].key.low_port, 1);
}

TEST_F(Wheel, AFlowThatIsDueSoonIsVisitedSoonEvenIfTheFirstIsDueLate) {
  wheel.start(100 * kSecond);
  add(1, 160 * kSecond);
  const FlowIndex soon = add(2, 105 * kSecond);
  turn(107 * kSecond);
  EXPECT_EQ(visited, std::vector{soon});
}

TEST_F(Wheel, AFlowThatWasRemovedIsNotVisited) {
  wheel.start(0);
  const FlowIndex a = add(1, kSecond), b = add(2, kSecond), c = add(3, kSecond);
  wheel.remove(b);
  turn(10 * kSecond);
  EXPECT_EQ(visited, (std::vector{c, a}));
}

TEST_F(Wheel, ALeapInTimeVisitsAll) {
  wheel.start(0);
  for (std::uint16_t p = 0; p < 50; ++p) add(p, p * 7 * kSecond);
  turn(1'000'000 * kSecond);
  EXPECT_EQ(visited.size(), 50u);
}

TEST_F(Wheel, OldestIsTheFlowThatIsDueFirst) {
  wheel.start(0);
  add(1, 50 * kSecond);
  const FlowIndex first = add(2, 20 * kSecond);
  const FlowIndex second = add(3, 30 * kSecond);
  EXPECT_EQ(wheel.oldest([](FlowIndex) { return false; }), first);
  EXPECT_EQ(wheel.oldest([&](FlowIndex i) { return i == first; }), second);
  EXPECT_EQ(wheel.oldest([](FlowIndex) { return true; }), kNoFlow);
}

TEST_F(Wheel, DrainVisitsEveryFlow) {
  wheel.start(0);
  for (std::uint16_t p = 0; p < 20; ++p) add(p, p * kSecond);
  std::size_t n = 0;
  wheel.drain(fetch, fetch, [&](FlowIndex i) {
    flows.erase(i);
    ++n;
  });
  EXPECT_EQ(n, 20u);
  EXPECT_EQ(flows.size(), 0u);
}

}  // namespace
}  // namespace probe
