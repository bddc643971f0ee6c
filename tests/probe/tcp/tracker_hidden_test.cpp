// What may have been sent before although its first copy got lost before the probe (mark repeat_hidden).
#include <gtest/gtest.h>

#include "tests/probe/tcp/talk.h"

namespace probe::tcp {
namespace {

using namespace tcp_flag;

TEST(Hidden, DataAfterASilenceIsMarkedIfAPacketOfItsSenderIsMissing) {
  for (const auto silence : {5ms, 300ms})
    for (const std::uint16_t id : {104, 105}) {
      Talk t;
      t.timestamps = true;
      t.open();
      t.send(client().data(100).push());  // its number is 103
      t.send(server());
      t.after(silence).send(client().seq(101).data(100).id(id));
      EXPECT_EQ(t.marked(Quality::repeat_hidden), silence == 300ms && id == 105);
    }
}

TEST(Hidden, DataIsNotMarkedIfThePacketThatIsMissingHadNone) {
  Talk t;
  t.timestamps = true;
  t.open();
  t.send(client().data(100));
  t.send(client().seq(101).id(105));  // the next number to be sent is that which had been
  t.after(300ms).send(client().seq(101).data(100).id(106));
  EXPECT_FALSE(t.marked(Quality::repeat_hidden));
}

TEST(Hidden, DataIsMarkedIfWhatIsMissingCameBeforeAVisibleRepetition) {
  Talk t;
  t.timestamps = true;
  t.open();
  t.send(client().data(100).push());
  t.after(300ms).send(client().data(100).id(105));
  t.after(20ms).send(server());
  t.after(10ms).send(client().seq(101).data(100).id(106));
  EXPECT_TRUE(t.marked(Quality::repeat_hidden));
}

TEST(Hidden, NumbersOfWindowsAndOfSmallDevicesTellNothing) {
  for (const bool timestamps : {false, true})
    for (const std::uint8_t ttl : {64, 128}) {
      Talk t;
      t.timestamps = timestamps;
      t.open();
      t.send(client().data(100).push().ttl(ttl));
      t.send(server());
      t.after(300ms).send(client().seq(101).data(100).id(105).ttl(ttl));
      EXPECT_EQ(t.marked(Quality::repeat_hidden), timestamps && ttl == 64);
    }
}

TEST(Hidden, NumbersThatOthersTakeTooTellNothing) {
  for (const bool twice : {false, true}) {
    Talk t;
    t.timestamps = true;
    t.open();
    t.send(client().data(100).id(103));
    t.send(client().seq(101).data(100).id(105));  // sooner than anything can be sent again
    t.send(client().seq(201).data(100).push().id(twice ? 107 : 106));
    t.send(server());
    t.after(300ms).send(client().seq(301).data(100).id(109));
    EXPECT_EQ(t.marked(Quality::repeat_hidden), !twice);
  }
}

TEST(Hidden, NumbersThatComeLateAreNotThoseOfOthers) {
  Talk t;
  t.timestamps = true;
  t.open();
  t.send(client().data(100).id(103));
  for (const std::uint16_t id : {105, 104, 107, 106, 109, 108}) t.send(client().seq(101).id(id));
  t.after(300ms).send(client().seq(101).data(100).id(111));
  EXPECT_TRUE(t.marked(Quality::repeat_hidden));
}

TEST(Hidden, NumbersOfASenderThatLosesPacketsTellStill) {
  Talk t;
  t.timestamps = true;
  t.open();
  t.send(client().data(100).id(103));
  t.send(client().seq(201).data(100).id(105));
  t.after(40ms).send(client().seq(101).data(100).id(106));
  EXPECT_EQ(t.of(kClient).before_probe_packets, 1u);
  t.send(server());
  t.send(client().seq(301).id(108));
  t.send(client().seq(301).id(110));
  t.after(300ms).send(client().seq(301).data(100).id(112));
  EXPECT_TRUE(t.marked(Quality::repeat_hidden));
}

TEST(Hidden, NumbersOfMergedSegmentsAreNotMissing) {
  for (const std::uint16_t id : {107, 108}) {
    Talk t;
    t.timestamps = true;
    t.open();
    t.send(client().data(4380).push());  // three segments of 1400 and a part of one
    t.send(server());
    t.after(300ms).send(client().seq(4381).data(100).id(id));
    EXPECT_EQ(t.marked(Quality::repeat_hidden), id == 108);
  }
}

TEST(Hidden, WithoutNumbersDataIsMarkedIfTheSenderHadMoreAndWaited) {
  for (const bool pushed : {false, true})
    for (const auto silence : {60ms, 80ms}) {  // the path's round trip is 30 ms, 10 of it to the client
      Talk t;
      t.timestamps = true;
      t.open();
      t.send(client().no_id().data(1400).push());
      t.send(pushed ? client().seq(1401).no_id().data(1400).push() : client().seq(1401).no_id().data(1400));
      t.after(20ms).send(server());
      t.after(silence).send(client().seq(2801).no_id().data(100));
      EXPECT_EQ(t.marked(Quality::repeat_hidden), !pushed && silence == 80ms);
    }
}

TEST(Hidden, WhatOpensAHoleAfterASilenceIsMarkedIfMoreIsMissingThanTheHole) {
  for (const std::uint16_t id : {105, 106}) {
    Talk t;
    t.timestamps = true;
    t.open();
    t.send(client().data(100));
    t.after(300ms);
    EXPECT_EQ(t.send(client().seq(201).data(100).id(id)), Verdict::early);
    EXPECT_EQ(t.marked(Quality::repeat_hidden), id == 106);
  }
}

TEST(Hidden, WhatWasOvertakenAfterASilenceIsMarkedIfItMayHaveBeenSentBefore) {
  for (const bool ids : {true, false})
    for (const auto silence : {10ms, 300ms}) {
      Talk t;
      t.timestamps = true;
      t.open();
      t.send(client().data(100).id(ids ? 103 : 0));
      t.after(silence).send(client().seq(201).data(100).id(ids ? 105 : 0));
      t.after(100us).send(client().seq(101).data(100).id(ids ? 104 : 0));
      EXPECT_EQ(t.of(kClient).out_of_order_packets, 1u);
      EXPECT_EQ(t.marked(Quality::repeat_hidden), !ids && silence == 300ms);
    }
}

TEST(Hidden, HoleBehindWhatHidesIsFilledByARepetition) {
  Talk t;
  t.timestamps = true;
  t.open();
  t.send(client().data(100).push());
  t.after(300ms).send(client().seq(101).data(100).id(107));  // of 101 to 401, which were lost
  t.after(30ms).send(client().seq(401).data(100).id(108));   // RFC 5682: new data, to see whether they were
  t.after(100us).send(client().seq(201).data(100).id(109));
  EXPECT_TRUE(t.marked(Quality::repeat_hidden));
  EXPECT_EQ(t.of(kClient).before_probe_packets, 1u);
  EXPECT_EQ(t.of(kClient).out_of_order_packets, 0u);
}

TEST(Hidden, NothingIsMissingWhereIdentificationsWrap) {
  Talk t;
  t.timestamps = true;
  t.open();
  for (const int id : {0xfffe, 0xffff, 0, 1}) t.after(300ms).send(client().data(100).push().id(id));
  EXPECT_FALSE(t.marked(Quality::repeat_hidden));
}

TEST(Hidden, SynAckThatIsASecondLateIsMarked) {
  for (const auto late : {900ms, 1000ms}) {
    Talk t;
    t.send(client().seq(0).flags(kSyn));
    t.after(late).send(server().seq(0).flags(kSyn | kAck));
    EXPECT_EQ(t.marked(Quality::repeat_hidden), late == 1000ms);
  }
}

TEST(Hidden, SynAckThatNamesTheSecondSynIsNotMarked) {
  for (const std::uint32_t echo : {1, 2}) {
    Talk t;
    t.send(client().seq(0).flags(kSyn).time(1, 0));
    t.after(1s).send(client().seq(0).flags(kSyn).time(2, 0));
    t.after(20ms).send(server().seq(0).flags(kSyn | kAck).time(9, echo));
    EXPECT_EQ(t.marked(Quality::repeat_hidden), echo == 1);
  }
}

}  // namespace
}  // namespace probe::tcp
