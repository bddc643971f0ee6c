#include "probe/traffic/echo.h"

#include <gtest/gtest.h>

namespace probe::traffic {
namespace {

TEST(Echoes, MeasureEachRequestToItsReply) {
  Echoes e;
  e.on_request(1, kSecond);
  e.on_request(2, 2 * kSecond);
  e.on_reply(2, 2 * kSecond + 10 * kMillisecond);
  e.on_reply(1, kSecond + 30 * kMillisecond);
  EXPECT_EQ(e.requests(), 2u);
  EXPECT_EQ(e.unanswered(), 0u);
  EXPECT_EQ(e.least(), 10'000u);
  EXPECT_EQ(e.mean(), 20'000u);
  EXPECT_EQ(e.greatest(), 30'000u);
}

TEST(Echoes, AReplyThatNobodyAskedForOrThatComesAgainIsNone) {
  Echoes e;
  e.on_reply(1, kSecond);
  e.on_request(1, 2 * kSecond);
  e.on_reply(1, 2 * kSecond + kMillisecond);
  e.on_reply(1, 3 * kSecond);
  EXPECT_EQ(e.count(), 1u);
  EXPECT_EQ(e.greatest(), 1'000u);
}

TEST(Echoes, ARequestThatCameTwiceGivesNoTime) {
  Echoes e;
  e.on_request(1, kSecond);
  e.on_request(1, 2 * kSecond);
  e.on_reply(1, 2 * kSecond + kMillisecond);
  e.finish();
  EXPECT_EQ(e.requests(), 2u);
  EXPECT_EQ(e.count(), 0u);
  EXPECT_EQ(e.unanswered(), 0u) << "there was a reply";
}

TEST(Echoes, WhatIsLeftAtTheEndWasNotAnswered) {
  Echoes e;
  for (std::uint32_t i = 0; i < 5; ++i) e.on_request(i, i * kSecond);
  e.on_reply(4, 5 * kSecond);
  EXPECT_EQ(e.unanswered(), 0u) << "there may still be replies";
  e.finish();
  EXPECT_EQ(e.unanswered(), 4u);
  e.finish();
  EXPECT_EQ(e.unanswered(), 4u);
}

TEST(Echoes, MoreThanAreRememberedPushOutTheOldest) {
  Echoes e;
  for (std::uint32_t i = 0; i < Echoes::kOutstanding + 3; ++i) e.on_request(i, i * kMillisecond);
  EXPECT_EQ(e.unanswered(), 3u);
  e.on_reply(0, kSecond);
  EXPECT_EQ(e.count(), 0u);
  e.on_reply(3, kSecond);
  EXPECT_EQ(e.count(), 1u);
}

TEST(Echoes, AnIntervalStartsAnewAndKeepsWhatIsOutstanding) {
  Echoes e;
  e.on_request(1, kSecond);
  e.start_interval();
  EXPECT_EQ(e.requests(), 0u);
  e.on_reply(1, kSecond + kMillisecond);
  EXPECT_EQ(e.count(), 1u);
}

TEST(Echoes, TimeThatRunsBackwardsGivesNone) {
  Echoes e;
  e.on_request(1, 2 * kSecond);
  e.on_reply(1, kSecond);
  e.finish();
  EXPECT_EQ(e.count(), 0u);
  EXPECT_EQ(e.unanswered(), 0u);
}

}  // namespace
}  // namespace probe::traffic
