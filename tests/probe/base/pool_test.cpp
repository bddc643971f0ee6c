#include "probe/base/pool.h"

#include <gtest/gtest.h>

namespace probe {
namespace {

TEST(SlotPool, AnswersNullWhenEmptyAndHandsOutWhatCameBack) {
  SlotPool pool(2, 40);
  void* a = pool.take();
  void* b = pool.take();
  ASSERT_NE(a, nullptr);
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(pool.take(), nullptr);
  EXPECT_EQ(pool.in_use(), 2u);
  pool.give(a);
  EXPECT_EQ(pool.take(), a);
}

TEST(SlotPool, SlotsStandOnCacheLines) {
  SlotPool pool(4, 65);
  auto* a = static_cast<std::byte*>(pool.take());
  auto* b = static_cast<std::byte*>(pool.take());
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(a) % 64, 0u);
  EXPECT_EQ(b - a, 128);
}

TEST(Pool, RunsConstructorsAndDestructors) {
  struct Noisy {
    explicit Noisy(int& n) : alive(n) { ++alive; }
    ~Noisy() { --alive; }
    int& alive;
  };
  int alive = 0;
  Pool<Noisy> pool(1);
  Noisy* n = pool.make(alive);
  EXPECT_EQ(alive, 1);
  EXPECT_EQ(pool.make(alive), nullptr);
  pool.destroy(n);
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(pool.in_use(), 0u);
}

}  // namespace
}  // namespace probe
