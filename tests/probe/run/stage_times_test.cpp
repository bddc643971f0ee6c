#include "probe/run/stage_times.h"

#include <gtest/gtest.h>

namespace probe::run {
namespace {

Nanos of(const StageTimes& t, Stage s) { return t.nanos()[static_cast<std::size_t>(s)]; }

void spend(Nanos n) {
  for (const Nanos end = steady_now() + n; steady_now() < end;) {
  }
}

TEST(StageTimes, StandForTheTurnsThatWereNotLookedAt) {
  StageTimes t;
  t.begin_turn(StageTimes::kEvery);
  spend(kMillisecond);
  t.did(Stage::receive);
  spend(2 * kMillisecond);
  t.did(Stage::measure);
  const auto every = static_cast<Nanos>(StageTimes::kEvery);
  EXPECT_GE(of(t, Stage::receive), every * kMillisecond);
  EXPECT_GE(of(t, Stage::measure), every * 2 * kMillisecond);
  EXPECT_EQ(of(t, Stage::decode), 0);
  EXPECT_EQ(busy(t.nanos()), of(t, Stage::receive) + of(t, Stage::measure));
}

TEST(StageTimes, LookAtOneTurnInMany) {
  StageTimes t;
  for (std::uint64_t turn = 1; turn < StageTimes::kEvery; ++turn) {
    t.begin_turn(turn);
    t.did(Stage::decode);
  }
  EXPECT_EQ(busy(t.nanos()), 0);
}

}  // namespace
}  // namespace probe::run
