#include "probe/base/ring.h"

#include <gtest/gtest.h>

#include <thread>

namespace probe {
namespace {

TEST(Ring, IsFullAtItsCapacity) {
  Ring<int> ring(4);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(ring.push(i));
  EXPECT_FALSE(ring.push(4));
  int out = -1;
  EXPECT_TRUE(ring.pop(out));
  EXPECT_EQ(out, 0);
  EXPECT_TRUE(ring.push(4));
}

TEST(Ring, KeepsOrderBetweenTwoThreads) {
  constexpr int kItems = 200'000;
  Ring<int> ring(64);
  std::thread producer([&] {
    for (int i = 0; i < kItems; ++i)
      while (!ring.push(i)) std::this_thread::yield();
  });
  for (int expected = 0; expected < kItems;) {
    int got = -1;
    if (!ring.pop(got)) {
      std::this_thread::yield();
      continue;
    }
    ASSERT_EQ(got, expected);
    ++expected;
  }
  producer.join();
}

}  // namespace
}  // namespace probe
