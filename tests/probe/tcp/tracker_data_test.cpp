// Which segment is new, repeated, late: each story far from the wrap of sequence numbers and across it.
#include <gtest/gtest.h>

#include "tests/probe/tcp/talk.h"

namespace probe::tcp {
namespace {

using namespace tcp_flag;

class Data : public testing::TestWithParam<std::uint32_t> {
 protected:
  Data() : t(GetParam(), GetParam() + 7) {}

  Told data(std::uint32_t seq, std::uint32_t n = 100) { return client().seq(seq).data(n); }
  void expect(std::uint32_t retransmitted, std::uint32_t before, std::uint32_t spurious, std::uint32_t reordered) {
    const SenderMeasures& m = t.of(kClient);
    EXPECT_EQ(m.retransmitted_packets, retransmitted);
    EXPECT_EQ(m.before_probe_packets, before);
    EXPECT_EQ(m.spurious_packets, spurious);
    EXPECT_EQ(m.out_of_order_packets, reordered);
  }

  Talk t;
};

INSTANTIATE_TEST_SUITE_P(From, Data, testing::Values(1000u, 0xffffff00u, 0xfffffffeu, 0x7fffff80u));

TEST_P(Data, InOrderIsFresh) {
  t.open();
  EXPECT_EQ(t.send(data(1)), Verdict::fresh);
  EXPECT_EQ(t.send(data(101)), Verdict::fresh);
  EXPECT_EQ(t.send(client().seq(201)), Verdict::no_data);
  EXPECT_EQ(t.tracker.top(kClient), t.sequence(kClient, 201));
  expect(0, 0, 0, 0);
}

TEST_P(Data, SeenTwiceWasLostBehindTheProbe) {
  t.open();
  t.send(data(1));
  t.after(200ms);
  EXPECT_EQ(t.send(data(1)), Verdict::repeated);
  EXPECT_EQ(t.tracker.last_repeat(kClient), t.now());
  expect(1, 0, 0, 0);
  EXPECT_EQ(t.of(kClient).retransmitted_octets, 100u);
}

TEST_P(Data, ThatComesARoundTripLateWasLostBeforeTheProbe) {
  t.open();
  t.send(data(1));
  EXPECT_EQ(t.send(data(201)), Verdict::early);
  t.after(31ms);
  EXPECT_EQ(t.send(data(101)), Verdict::late);
  expect(1, 1, 0, 0);
  EXPECT_EQ(t.of(kClient).retransmitted_octets, 100u);
  EXPECT_EQ(t.tracker.last_repeat(kClient), t.now());
}

TEST_P(Data, ThatComesSoonerThanARoundTripWasReordered) {
  for (const auto lag : {26ms, 27ms}) {  // 7/8 of 30 ms lies between
    Talk each(GetParam());
    each.open();
    each.send(data(1));
    each.send(data(201));
    each.after(lag);
    EXPECT_EQ(each.send(data(101)), Verdict::late);
    EXPECT_EQ(each.of(kClient).out_of_order_packets, lag == 26ms ? 1u : 0u);
    EXPECT_EQ(each.of(kClient).before_probe_packets, lag == 26ms ? 0u : 1u);
  }
}

TEST_P(Data, WithoutTimestampsAmongOthersThatHaveThemIsToldByItsLag) {
  t.timestamps = true;
  t.open();
  t.send(data(1));
  t.timestamps = false;
  t.send(data(201));
  t.timestamps = true;
  t.after(5ms).send(data(101));
  expect(0, 0, 0, 1);
}

TEST_P(Data, ThatComesAtOnceAfterAPauseWasReordered) {
  for (const auto lag : {299us, 301us}) {
    Talk each(GetParam());
    each.open();
    each.send(data(1));
    each.after(1s).send(data(201));
    each.after(lag).send(data(101).no_id());
    EXPECT_EQ(each.of(kClient).out_of_order_packets, lag == 299us ? 1u : 0u);
    EXPECT_EQ(each.of(kClient).before_probe_packets, lag == 299us ? 0u : 1u);
  }
}

TEST_P(Data, WithoutAKnownRoundTripIsReorderedWithinThreeMilliseconds) {
  for (const auto lag : {2999us, 3001us}) {
    Talk each(GetParam());
    each.send(data(1));
    each.send(data(201));
    each.after(lag).send(data(101));
    EXPECT_EQ(each.of(kClient).out_of_order_packets, lag == 2999us ? 1u : 0u);
  }
}

TEST_P(Data, WasReorderedIfItsTimestampIsOlder) {
  t.timestamps = true;
  t.open();
  t.send(data(1));
  const std::uint32_t sent = t.clock();
  t.after(5ms).send(data(201));
  t.after(100ms).send(data(101).time(sent, 0));
  expect(0, 0, 0, 1);
}

TEST_P(Data, WasRetransmittedIfItsTimestampIsNewer) {
  t.timestamps = true;
  t.open();
  t.send(data(1));
  t.send(data(201));
  t.after(2ms).send(data(101));  // too soon for a round trip, but the clock says so
  expect(1, 1, 0, 0);
}

// RFC 6864 §4.1: nothing asks for it, but most senders count their packets.
TEST_P(Data, WasReorderedIfItsIdentificationIsOlder) {
  t.timestamps = true;
  t.open();
  t.send(data(1).id(65'535));
  t.after(1s).send(data(201).id(2));  // it had to wait; the one before it was sent in the same tick
  t.after(500us).send(data(101).id(1).time(t.clock(), 0));
  expect(0, 0, 0, 1);
  t.after(40ms).send(data(401).id(4));
  t.after(31ms).send(data(301).id(5));
  expect(1, 1, 0, 1);
}

TEST_P(Data, IsNotJudgedByIdentificationsThatCountNothing) {
  t.open();
  t.send(data(1).id(40'000));
  t.send(data(201).id(20'000));
  t.after(31ms).send(data(101).id(19'999));
  expect(1, 1, 0, 0);
}

TEST_P(Data, OfTheSameTickWasReorderedIfItComesSeveralTicksLater) {
  t.timestamps = true;
  t.open();
  t.after(1s).send(data(1));
  const std::uint32_t sent = t.clock();
  t.after(500ms).send(data(201).time(sent, 0));
  t.after(40ms).send(data(101).time(sent, 0));
  expect(0, 0, 0, 1);
}

TEST_P(Data, OfASlowClockIsToldByItsLag) {
  t.open();
  t.after(1s).send(data(1).time(2, 0));  // two ticks a second
  t.after(100ms).send(data(201).time(2, 0));
  t.after(40ms).send(data(101).time(2, 0));
  expect(1, 1, 0, 0);
}

TEST_P(Data, FillsAHoleInParts) {
  t.open();
  t.send(data(1));
  t.send(data(301));
  t.after(40ms);
  EXPECT_EQ(t.send(data(151, 50)), Verdict::late);
  EXPECT_EQ(t.send(data(101, 50)), Verdict::late);
  EXPECT_EQ(t.send(data(201, 100)), Verdict::late);
  EXPECT_EQ(t.send(data(201, 100)), Verdict::repeated);
  expect(4, 3, 0, 0);
  EXPECT_EQ(t.of(kClient).retransmitted_octets, 300u);
}

TEST_P(Data, CoveringAHoleAndSeenOctetsPassedInPart) {
  t.open();
  t.send(data(1));
  t.send(data(201));
  t.after(40ms);
  EXPECT_EQ(t.send(data(51, 100)), Verdict::late);
  expect(1, 0, 0, 0);  // part of it had passed: it was not the hole alone that was repeated
  EXPECT_EQ(t.of(kClient).retransmitted_octets, 100u);
}

TEST_P(Data, RepeatedTogetherWithNewOctetsIsFresh) {
  t.open();
  t.send(data(1));
  t.after(200ms);
  EXPECT_EQ(t.send(data(1, 150)), Verdict::fresh);
  expect(1, 0, 0, 0);
  EXPECT_EQ(t.of(kClient).retransmitted_octets, 100u);
  EXPECT_EQ(t.tracker.top(kClient), t.sequence(kClient, 151));
}

TEST_P(Data, AcknowledgedBeforeIsSpurious) {
  t.open();
  t.send(data(1));
  t.after(20ms).send(server());
  t.after(200ms).send(data(1));
  expect(1, 0, 1, 0);
}

TEST_P(Data, IsSpuriousIfADsackReportsIt) {
  t.open();
  t.send(data(1));
  t.send(data(101));
  t.after(200ms).send(data(1));
  t.send(data(101));
  t.after(20ms).send(server().ack(201));
  expect(2, 0, 0, 0);
  t.send(server().ack(201).sack(1, 101));
  expect(2, 0, 1, 0);
  t.send(server().ack(201).sack(1, 101).id(9));  // told already
  expect(2, 0, 1, 0);
  t.send(server().ack(201).sack(101, 201));
  expect(2, 0, 2, 0);
}

TEST_P(Data, IsSpuriousIfADsackBehindTheAcknowledgementReportsIt) {
  t.open();
  t.send(data(101));
  t.after(100ms).send(data(101));
  t.send(server().ack(1).sack(101, 201).sack(101, 201));  // RFC 2883 §4.2.2: the second block holds the first
  expect(1, 0, 1, 0);
}

TEST_P(Data, IsSpuriousOnceIfADsackReportsWhatTheAcknowledgementHadTold) {
  t.open();
  t.send(data(1));
  t.after(100ms).send(data(1));  // needed: the first copy got lost behind the probe
  t.after(20ms).send(server());
  t.after(10ms).send(data(1));  // not needed, and known to be so
  expect(2, 0, 1, 0);
  t.after(20ms).send(server().ack(101).sack(1, 101));
  expect(2, 0, 1, 0);
  t.after(1ms).send(server().ack(101).sack(1, 101).id(9));  // and another one: it was not needed before either
  expect(2, 0, 2, 0);
}

TEST_P(Data, IsInDoubtIfItsDsackCanBeAboutACopyThatTheNetworkMade) {
  for (const auto wait : {18ms, 20ms}) {
    Talk each(GetParam());
    each.open();
    each.send(data(1));
    each.after(100ms).send(data(1));
    each.after(wait).send(server().ack(101));  // sooner than in 20 ms the repetition cannot have caused it
    each.after(50us).send(server().ack(101).sack(1, 101));
    EXPECT_EQ(each.of(kClient).spurious_packets, 1u);
    EXPECT_EQ(each.marked(Quality::copy_in_doubt), wait == 20ms);
  }
  t.open();
  t.send(data(1));
  t.after(100ms).send(data(1));
  t.after(20ms).send(server().ack(101));
  t.after(2ms).send(server().ack(101).sack(1, 101));
  expect(1, 0, 1, 0);
  EXPECT_FALSE(t.marked(Quality::copy_in_doubt));
}

TEST_P(Data, IsSpuriousIfDsacksReportAllOfItAndNotAPart) {
  t.open();
  t.send(data(1));
  t.send(data(101));
  t.after(100ms).send(client().seq(1).data(200));
  t.after(20ms).send(server().ack(201).sack(1, 101));
  expect(1, 0, 0, 0);  // the second half may have been lost
  t.send(server().ack(201).sack(101, 201));
  expect(1, 0, 1, 0);
}

TEST_P(Data, IsRetransmittedIfItsIdentificationSaysSoHoweverSoonItComes) {
  t.open();
  t.send(data(1).id(110));
  t.send(data(101).id(111));
  t.after(30ms).send(data(301).id(113));  // 112 got lost
  t.after(20us).send(data(201).id(114));
  expect(1, 1, 0, 0);
  t.send(data(501).id(117));
  t.after(20us).send(data(401).id(116));
  expect(1, 1, 0, 1);
}

TEST_P(Data, IsNotSpuriousBecauseOfAnOrdinarySack) {
  t.open();
  t.send(data(1));
  t.send(data(101));
  t.after(200ms).send(data(101));
  t.send(server().ack(1).sack(101, 201));
  expect(1, 0, 0, 0);
}

TEST_P(Data, IsSpuriousIfAReceiverThatHasAllRepeatsItself) {
  t.open();
  t.send(data(1));
  t.after(200ms).send(data(1));
  t.after(5ms).send(server());
  expect(1, 0, 0, 0);
  t.after(15ms).send(server());
  expect(1, 0, 1, 0);
}

TEST_P(Data, IsNotSpuriousBecauseAReceiverThatWouldTellByDsackRepeatsItself) {
  t.send(client().seq(0).flags(tcp_flag::kSyn).sack_permitted());
  t.after(20ms).send(server().seq(0).flags(tcp_flag::kSyn | tcp_flag::kAck).sack_permitted());
  t.after(10ms).send(client());
  t.send(data(1));
  t.after(200ms).send(data(1));
  t.after(20ms).send(server());
  t.after(1ms).send(server());  // for a reason of its own
  expect(1, 0, 0, 0);
}

TEST_P(Data, IsNotSpuriousBecauseOfTheAnswerToAnother) {
  t.open();
  t.send(data(1));
  t.after(200ms).send(data(1));  // the first copy was lost
  t.after(20ms).send(server());
  t.after(1s).send(data(1));  // spurious: acknowledged
  expect(2, 0, 1, 0);
  t.after(20ms).send(server());
  expect(2, 0, 1, 0);
}

TEST_P(Data, OneOctetBelowTheTopIsAKeepAlive) {
  t.open();
  t.send(data(1));
  t.send(server());
  t.after(10s);
  EXPECT_EQ(t.send(client().seq(100)), Verdict::keep_alive);
  EXPECT_EQ(t.send(client().seq(100).data(1)), Verdict::keep_alive);
  expect(0, 0, 0, 0);
  EXPECT_EQ(t.tracker.last_repeat(kClient), Tracker::kNever);
}

TEST_P(Data, OneOctetBelowTheTopIsARetransmissionUntilItIsAcknowledged) {
  t.open();
  t.send(data(1, 1));
  t.send(server().ack(1));
  t.after(300ms);
  EXPECT_EQ(t.send(data(1, 1)), Verdict::repeated);
  expect(1, 0, 0, 0);
}

TEST_P(Data, ProbingAClosedWindowIsNoRetransmission) {
  t.open();
  t.send(data(1));
  t.after(20ms).send(server().window(0));
  EXPECT_EQ(t.send(data(101, 1)), Verdict::fresh);
  t.after(500ms).send(data(101, 1));
  t.after(20ms).send(server().ack(101).window(0));
  t.after(1s).send(server().ack(101).window(500));
  EXPECT_EQ(t.send(data(101)), Verdict::fresh);
  expect(0, 0, 0, 0);
  EXPECT_EQ(t.of(kServer).zero_windows, 1u);
}

TEST_P(Data, ProbingAClosedWindowMayBeTaken) {
  t.open();
  t.send(data(1));
  t.send(server().window(0));
  t.send(data(101, 1));
  t.send(server().ack(102).window(500));
  EXPECT_EQ(t.send(data(102)), Verdict::fresh);
  expect(0, 0, 0, 0);
  EXPECT_EQ(t.of(kClient).capture_loss_octets, 0u);
}

TEST_P(Data, CopiedByTheNetworkIsADuplicate) {
  t.open();
  const Packet p = t.packet(data(1));
  t.again(p, kClient);
  EXPECT_EQ(t.again(p, kClient), Verdict::duplicate);
  expect(0, 0, 0, 0);
}

TEST_P(Data, WithTheIdentificationThatAllHaveIsToldByItsTime) {
  for (const auto lag : {900us, 1100us}) {
    Talk each(GetParam());
    each.send(client().seq(0).flags(kSyn).id(1));
    each.after(20ms).send(server().seq(0).flags(kSyn | kAck).id(1));
    each.after(10ms).send(client().id(1));
    each.send(data(1).id(1));
    each.after(lag);
    EXPECT_EQ(each.send(data(1).id(1)), lag == 900us ? Verdict::duplicate : Verdict::repeated);
  }
}

TEST_P(Data, ComingAgainLaterThanItsAnswerCouldIsNoDuplicate) {
  t.send(client().seq(0).flags(kSyn).no_id());
  t.after(200us).send(server().seq(0).flags(kSyn | kAck).no_id());
  t.after(200us).send(client().no_id());
  t.send(data(1).no_id());
  EXPECT_EQ(t.after(150us).send(data(1).no_id()), Verdict::duplicate);
  EXPECT_EQ(t.after(100us).send(data(1).no_id()), Verdict::repeated);
}

TEST_P(Data, RepeatedFinIsARetransmission) {
  t.open();
  t.send(data(1).fin());
  t.after(300ms);
  EXPECT_EQ(t.send(client().seq(101).fin()), Verdict::repeated);
  expect(1, 0, 0, 0);
  EXPECT_EQ(t.of(kClient).retransmitted_octets, 0u);
  EXPECT_EQ(t.tracker.last_repeat(kClient), Tracker::kNever);
}

TEST_P(Data, OfAResetMovesNothing) {
  t.open();
  t.send(data(1));
  t.send(client().seq(90000).data(20).flags(kRst | kAck));
  EXPECT_EQ(t.tracker.top(kClient), t.sequence(kClient, 101));
  EXPECT_EQ(t.send(data(101)), Verdict::fresh);
}

TEST_P(Data, FarOutsideOfAnyWindowBeginsAnew) {
  t.open();
  t.send(data(1));
  EXPECT_EQ(t.send(data(0x60000001)), Verdict::fresh);
  EXPECT_EQ(t.send(data(0x60000065)), Verdict::fresh);
  expect(0, 0, 0, 0);
}

TEST_P(Data, GoesAroundAllNumbersWithoutGrowingOld) {
  t.open();
  std::uint32_t seq = 1;
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(t.send(data(seq, 60'000'000)), Verdict::fresh);
    ASSERT_EQ(t.send(data(seq + 1000)), Verdict::repeated);
    seq += 60'000'000;
  }
  expect(100, 0, 0, 0);
}

TEST_P(Data, InTheMiddleBeginsWithTheFirstSegment) {
  EXPECT_EQ(t.send(data(1001)), Verdict::fresh);
  EXPECT_TRUE(t.marked(Quality::mid_stream));
  EXPECT_EQ(t.tracker.initiator(), -1);
  t.after(1ms);
  EXPECT_EQ(t.send(data(901)), Verdict::late);
  expect(0, 0, 0, 1);  // it had been sent before
  t.after(40ms);
  EXPECT_EQ(t.send(data(701)), Verdict::late);
  expect(1, 0, 0, 1);  // whether its first copy passed is not known
  t.after(40ms);
  EXPECT_EQ(t.send(data(701)), Verdict::repeated);
  EXPECT_EQ(t.send(data(801)), Verdict::late);
  EXPECT_EQ(t.send(data(1101)), Verdict::fresh);
}

TEST_P(Data, BehindAKeepAliveThatCameFirstIsFresh) {
  t.send(client().seq(1000));
  t.send(server().ack(1001));
  EXPECT_EQ(t.send(data(1001)), Verdict::fresh);
  EXPECT_EQ(t.of(kClient).capture_loss_octets, 0u);
}

TEST_P(Data, OfMoreHolesThanAreTrackedMarksTheFlow) {
  t.open();
  for (std::uint32_t i = 0; i <= Holes::kCapacity; ++i) t.send(data(101 + 200 * i));
  EXPECT_TRUE(t.marked(Quality::tracker_full));
}

TEST_P(Data, ThatAnEmptySegmentTellsOfWasLostBeforeTheProbe) {
  t.open();
  t.send(data(1));
  t.after(20ms).send(server().ack(101).data(10));
  t.send(client().seq(201));  // RFC 9293 §3.10.7.4: 101 to 200 were sent
  EXPECT_EQ(t.tracker.top(kClient), t.sequence(kClient, 201));
  t.after(300ms);
  EXPECT_EQ(t.send(data(101)), Verdict::late);
  expect(1, 1, 0, 0);
  EXPECT_EQ(t.send(data(201)), Verdict::fresh);
  expect(1, 1, 0, 0);
}

TEST_P(Data, ThatAnEmptySegmentOvertookWasReordered) {
  t.open();
  t.send(data(1));
  t.send(client().seq(201));
  t.after(1ms);
  EXPECT_EQ(t.send(data(101)), Verdict::late);
  expect(0, 0, 0, 1);
}

TEST_P(Data, ThatIsAFinAndToldOfByAnEmptySegmentWasLostBeforeTheProbe) {
  t.open();
  t.send(data(1));
  t.send(client().seq(102));
  t.after(300ms).send(client().seq(101).fin());
  expect(1, 1, 0, 0);
  EXPECT_EQ(t.of(kClient).retransmitted_octets, 0u);
}

TEST_P(Data, IsNotToldOfByAnEmptySegmentBeyondTheWindow) {
  t.open();
  t.send(client().seq(1u << 29));
  EXPECT_EQ(t.send(data(1)), Verdict::fresh);
  expect(0, 0, 0, 0);
}

TEST_P(Data, ThatProbedAClosedWindowIsNotToldOfByAnEmptySegment) {
  t.open();
  t.send(data(1));
  t.send(server().window(0));
  t.send(data(101, 1));
  t.send(client().seq(102));
  t.after(1s).send(server().ack(101).window(500));
  EXPECT_EQ(t.send(data(101)), Verdict::fresh);
  expect(0, 0, 0, 0);
}

TEST_P(Data, OfOneSideAloneIsClassifiedToo) {
  t.send(client().seq(0).flags(kSyn));
  t.after(30ms).send(client().ack(1));
  t.send(data(1).ack(1));
  t.send(data(201).ack(1));
  t.after(300ms).send(data(101).ack(1));
  t.after(300ms).send(data(1).ack(1));
  expect(2, 1, 0, 0);
}

}  // namespace
}  // namespace probe::tcp
