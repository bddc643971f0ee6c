#include "probe/run/shed_policy.h"

#include <gtest/gtest.h>

namespace probe::run {
namespace {

struct Policy {
  ShedPolicy policy;
  Nanos now = 1000 * kSecond;
  unsigned level = 0;

  explicit Policy(unsigned deepest) : policy(deepest) {}
  // The same backlog for so long.
  unsigned is(double backlog, Nanos duration) {
    for (const Nanos end = now + duration; now < end; now += 10 * kMillisecond) level = policy.look(backlog, now);
    return level;
  }
};

TEST(ShedPolicy, DoesNothingWithoutABacklog) { EXPECT_EQ(Policy(10).is(0.4, 60 * kSecond), 0u); }

TEST(ShedPolicy, StepsUpWhileTheBacklogIsThere) {
  Policy p(10);
  EXPECT_EQ(p.is(0.6, 10 * kMillisecond), 1u);
  EXPECT_EQ(p.is(0.6, 100 * kMillisecond), 3u);
  EXPECT_EQ(p.is(0.6, 10 * kSecond), 10u);
}

TEST(ShedPolicy, WaitsWhileTheBacklogShrinks) {
  Policy p(10);
  p.is(1, 10 * kMillisecond);
  for (double b = 0.99; b > 0.5; b -= 0.001) p.is(b, 10 * kMillisecond);
  EXPECT_EQ(p.level, 1u);
}

TEST(ShedPolicy, NeitherStepsUpNorDownBetweenTheLimits) {
  Policy p(10);
  p.is(0.6, 100 * kMillisecond);
  EXPECT_EQ(p.is(0.3, 600 * kSecond), 2u);
}

TEST(ShedPolicy, EndsWhenTheBacklogIsGone) {
  Policy p(10);
  p.is(1, 10 * kSecond);
  EXPECT_EQ(p.is(0, 990 * kMillisecond), 10u);
  EXPECT_EQ(p.is(0, 12 * kSecond), 0u);
}

// Each attempt to measure more costs a backlog: they become rare, but do not end.
TEST(ShedPolicy, TriesMoreSeldomWhereItWasTooEarly) {
  Policy p(10);
  unsigned tries = 0;
  for (Nanos t = 0; t < 600 * kSecond; t += 10 * kMillisecond) {
    const unsigned before = p.level;
    tries += p.is(before < 3 ? 0.6 : 0, 10 * kMillisecond) < before ? 1 : 0;
  }
  EXPECT_GT(tries, 15u);
  EXPECT_LT(tries, 40u);
  EXPECT_EQ(p.is(0, 60 * kSecond), 0u);
}

// Level 0 is too much and 1 is not; but each time it goes up to 2 before that shows.
TEST(ShedPolicy, KnowsTheLevelThatWasTooMuch) {
  Policy p(10);
  unsigned tries = 0;
  Nanos hot = p.now;
  for (const Nanos end = p.now + 600 * kSecond; p.now < end;) {
    const unsigned before = p.level;
    p.is(p.now <= hot ? 0.6 : 0, 10 * kMillisecond);
    if (p.level == 0) hot = p.now + 80 * kMillisecond;
    tries += before == 1 && p.level == 0 ? 1 : 0;
  }
  EXPECT_GT(tries, 15u);
  EXPECT_LT(tries, 40u);
}

TEST(ShedPolicy, MayBeForbidden) { EXPECT_EQ(Policy(0).is(1, 10 * kSecond), 0u); }

}  // namespace
}  // namespace probe::run
