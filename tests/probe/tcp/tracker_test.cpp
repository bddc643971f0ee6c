#include "probe/tcp/tracker.h"

#include <gtest/gtest.h>

#include "probe/tcp/tracker_pool.h"
#include "tests/probe/tcp/talk.h"

namespace probe::tcp {
namespace {

using namespace tcp_flag;

TEST(Tracker, MeasuresTheRoundTripOfTheSideThatAcknowledges) {
  Talk t;
  t.open();
  t.send(client().data(100));
  t.after(21ms).send(server());
  t.send(server().data(200));
  t.after(11ms).send(client().seq(101));
  EXPECT_EQ(t.tracker.rtt(kServer).count, 1u);
  EXPECT_EQ(t.tracker.rtt(kServer).min_us, 21000u);
  EXPECT_EQ(t.tracker.rtt(kClient).max_us, 11000u);
}

TEST(Tracker, DatesOnlyTheNewestOfSeveralSegmentsAcknowledgedAtOnce) {
  Talk t;
  t.open();
  t.send(client().data(100));
  t.after(5ms).send(client().seq(101).data(100));
  t.after(20ms).send(server());
  EXPECT_EQ(t.tracker.rtt(kServer).count, 1u);
  EXPECT_EQ(t.tracker.rtt(kServer).min_us, 20000u);
}

TEST(Tracker, TakesNoSampleFromARetransmittedSegment) {
  Talk t;
  t.open();
  t.send(client().data(100));
  t.after(200ms).send(client().data(100));
  t.after(20ms).send(server());
  EXPECT_EQ(t.tracker.rtt(kServer).count, 0u);
}

TEST(Tracker, TakesNoSampleFromSegmentsThatWaitedForARepairedHole) {
  Talk t;
  t.open();
  for (const std::uint32_t seq : {1, 101, 201}) t.send(client().seq(seq).data(100));
  t.after(20ms).send(server().ack(101));  // the first arrived
  t.after(100ms).send(client().seq(101).data(100));
  t.after(20ms).send(server().ack(301));
  EXPECT_EQ(t.tracker.rtt(kServer).count, 1u);
  t.send(client().seq(301).data(100));
  t.after(20ms).send(server().ack(401));
  EXPECT_EQ(t.tracker.rtt(kServer).count, 2u);
}

TEST(Tracker, TakesNoSampleFromSegmentsThatWaitedForAReorderedOne) {
  Talk t;
  t.open();
  t.send(client().data(100));
  t.send(client().seq(201).data(100));
  t.after(2ms).send(client().seq(101).data(100));
  t.after(20ms).send(server().ack(301));
  EXPECT_EQ(t.tracker.rtt(kServer).count, 0u);
}

TEST(Tracker, MeasuresTheOnlyCopyThatPassedOfWhatFillsAHole) {
  Talk t;
  t.open();
  t.send(client().seq(101).data(100));
  t.send(client().seq(301).data(100));
  t.after(100ms).send(client().seq(1).data(100));
  t.after(20ms).send(server().ack(201));  // jumps over what waited
  EXPECT_EQ(t.tracker.rtt(kServer).count, 0u);
  t.send(client().seq(201).data(50));
  t.after(20ms).send(server().ack(251));
  EXPECT_EQ(t.tracker.rtt(kServer).count, 1u);
}

TEST(Tracker, TakesNoSampleFromSynFinResetOrKeepAlive) {
  Talk t;
  t.open();
  t.send(client().data(100));
  t.after(20ms).send(server().flags(kRst | kAck));
  t.after(20ms).send(client().seq(100).data(1));
  t.send(client().seq(101).data(10).fin());
  t.after(20ms).send(server());
  EXPECT_EQ(t.tracker.rtt(kServer).count + t.tracker.rtt(kClient).count, 0u);
}

TEST(Tracker, TakesNoNegativeSample) {
  Talk t;
  t.open();
  t.send(client().data(100));
  t.after(-1ms).send(server());
  EXPECT_EQ(t.tracker.rtt(kServer).count, 0u);
}

TEST(Tracker, EstimatesTheNetworkByTheLeastOfHandshakeAndSamples) {
  Talk t;
  t.open();
  EXPECT_EQ(t.tracker.network_rtt(kServer), 20 * kMillisecond);
  t.send(client().data(100));
  t.after(60ms).send(server());
  EXPECT_EQ(t.tracker.network_rtt(kServer), 20 * kMillisecond);
  t.send(client().seq(101).data(100));
  t.after(15ms).send(server());
  EXPECT_EQ(t.tracker.network_rtt(kServer), 15 * kMillisecond);
}

TEST(Tracker, CountsARepeatedHandshakeSinceAServersFirstSamplesIncludeItsThinking) {
  Talk t;
  t.send(client().seq(0).flags(kSyn));
  t.after(1s).send(client().seq(0).flags(kSyn));
  t.after(5ms).send(server().seq(0).flags(kSyn | kAck));
  EXPECT_EQ(t.tracker.network_rtt(kServer), 5 * kMillisecond);
  t.after(10ms).send(client());
  t.send(client().data(100));
  t.after(20ms).send(server());
  EXPECT_EQ(t.tracker.network_rtt(kServer), 5 * kMillisecond);
}

TEST(Tracker, CountsDuplicateAcksOfOutstandingData) {
  Talk t;
  t.open();
  t.send(client().data(100));
  t.send(server().ack(1));
  t.send(server().ack(1));
  EXPECT_EQ(t.of(kServer).duplicate_acks, 2u);
  t.send(server().ack(1).window(999));          // a window update
  t.send(server().ack(1).window(999).data(5));  // data
  t.send(server().seq(6).ack(1).window(999).fin());
  EXPECT_EQ(t.of(kServer).duplicate_acks, 2u);
  t.send(server().seq(7).ack(1).window(998).sack(51, 101));  // new SACK information
  EXPECT_EQ(t.of(kServer).duplicate_acks, 3u);
}

TEST(Tracker, CountsNoDuplicateAckIfNothingIsOutstanding) {
  Talk t;
  t.open();
  t.send(server());
  t.send(server());
  EXPECT_EQ(t.of(kServer).duplicate_acks, 0u);
}

TEST(Tracker, CountsDuplicateAcksOfASideThatIsSeenAlone) {
  Talk t;
  t.send(client().seq(0).flags(kSyn));
  t.send(client().ack(1));
  for (int i = 0; i < 3; ++i) t.send(client().ack(1001));
  t.send(client().seq(0).ack(1001));  // keep-alive
  EXPECT_EQ(t.of(kClient).duplicate_acks, 2u);
  EXPECT_EQ(t.tracker.acknowledged(kServer), t.sequence(kServer, 1001));
}

TEST(Tracker, CountsCopiedAcksOnce) {
  Talk t;
  t.open();
  t.send(client().data(100));
  const Packet p = t.packet(server().ack(1));
  for (int i = 0; i < 3; ++i) t.again(p, kServer);
  EXPECT_EQ(t.of(kServer).duplicate_acks, 1u);
}

TEST(Tracker, CountsEachClosingOfTheWindow) {
  Talk t;
  t.open(3);
  for (const std::uint16_t w : {50, 0, 0, 10, 0, 7}) t.send(server().window(w));
  EXPECT_EQ(t.of(kServer).zero_windows, 2u);
  EXPECT_TRUE(t.of(kServer).window_known);
  EXPECT_EQ(t.of(kServer).window_min, 0u);
  EXPECT_EQ(t.of(kClient).window_min, 8000u);
}

TEST(Tracker, DoesNotScaleWindowsUnlessBothSynsOfferIt) {
  Talk t;
  t.send(client().seq(0).flags(kSyn).scale(7));
  t.send(server().seq(0).flags(kSyn | kAck).window(10));
  t.send(client().window(500));
  EXPECT_EQ(t.of(kClient).window_min, 500u);
  EXPECT_FALSE(t.of(kServer).window_known);
}

TEST(Tracker, DoesNotKnowWindowsWhoseScaleItHasNotSeen) {
  Talk t;
  t.send(server().seq(0).flags(kSyn | kAck).scale(7));
  t.send(client().window(500));
  EXPECT_FALSE(t.of(kClient).window_known);
}

TEST(Tracker, CountsAcknowledgedOctetsThatWereNeverSeenAsCaptureLoss) {
  Talk t;
  t.open();
  t.send(client().seq(1).data(100));
  t.send(client().seq(301).data(100));
  EXPECT_FALSE(t.marked(Quality::capture_loss));
  t.after(20ms).send(server().ack(201));
  EXPECT_EQ(t.of(kClient).capture_loss_octets, 100u);
  t.send(server().ack(401));
  EXPECT_EQ(t.of(kClient).capture_loss_octets, 200u);
  t.send(server().ack(451));  // a tail
  EXPECT_EQ(t.of(kClient).capture_loss_octets, 250u);
  t.send(client().seq(501).data(100));
  t.send(server().ack(601));
  EXPECT_EQ(t.of(kClient).capture_loss_octets, 300u);
  EXPECT_TRUE(t.marked(Quality::capture_loss));
  EXPECT_EQ(t.of(kClient).retransmitted_packets, 0u);
}

TEST(Tracker, TakesCaptureLossBackIfTheOctetsTurnUp) {
  Talk t;
  t.open();
  t.send(client().seq(101).data(100));
  t.after(20ms).send(server().ack(251));
  EXPECT_EQ(t.of(kClient).capture_loss_octets, 150u);
  t.after(100ms);
  EXPECT_EQ(t.send(client().seq(1).data(100)), Verdict::late);
  EXPECT_EQ(t.of(kClient).capture_loss_octets, 50u);
  EXPECT_EQ(t.of(kClient).retransmitted_packets, 1u);  // the receiver had it, so its first copy had passed
  EXPECT_EQ(t.of(kClient).spurious_packets, 1u);
  EXPECT_EQ(t.of(kClient).before_probe_packets, 0u);
  EXPECT_EQ(t.send(client().seq(201).data(50)), Verdict::fresh);
  EXPECT_FALSE(t.marked(Quality::capture_loss));
}

TEST(Tracker, CountsNothingIfTheCaptureItselfIsOutOfOrder) {
  Talk t;
  t.open();
  t.send(client().seq(101).data(100).id(901));
  t.send(server().ack(201));
  t.after(20us).send(client().seq(1).data(100).id(900));
  const SenderMeasures& m = t.of(kClient);
  EXPECT_EQ(m.retransmitted_packets + m.out_of_order_packets + m.capture_loss_octets, 0u);
  EXPECT_TRUE(t.marked(Quality::time_disorder));
}

TEST(Tracker, DoesNotBelieveOneAcknowledgementOfWhatWasNeverSent) {
  Talk t;
  t.open();
  t.send(client().data(100));
  t.send(server().ack(500'000'000));
  EXPECT_EQ(t.of(kClient).capture_loss_octets, 0u);
  t.after(20ms).send(server().ack(101));
  EXPECT_EQ(t.tracker.rtt(kServer).count, 1u);
}

TEST(Tracker, BelievesTwoAcknowledgementsThatAgree) {
  Talk t;
  t.open();
  t.send(client().data(100));
  t.send(server().ack(1'000'101));
  t.send(server().ack(1'001'101));
  EXPECT_EQ(t.tracker.acknowledged(kClient), t.sequence(kClient, 1'001'101));
  EXPECT_EQ(t.of(kClient).capture_loss_octets, 1'001'000u);
}

TEST(Tracker, EndsWithTheFinsOfBothSidesAndTheirAcknowledgements) {
  Talk t;
  t.open();
  t.send(client().data(10).fin());
  EXPECT_FALSE(t.tracker.end_seen());
  t.send(server().fin());
  EXPECT_TRUE(t.tracker.end_seen());
  EXPECT_FALSE(t.tracker.closed());
  t.send(client().seq(12));
  EXPECT_TRUE(t.tracker.closed());
}

TEST(Tracker, EndsWithAResetInsideOfTheWindow) {
  for (const std::uint32_t seq : {1u, 101u, 5000u, 50'000'000u}) {
    Talk t;
    t.open();
    t.send(client().data(100));
    t.send(client().seq(seq).flags(kRst));
    EXPECT_EQ(t.tracker.closed(), seq < 50'000'000u) << seq;
  }
}

TEST(Tracker, EndsWithTheRefusalOfASyn) {
  Talk t;
  t.send(client().seq(0).flags(kSyn));
  t.send(server().seq(0xf0000000).ack(1).flags(kRst | kAck));
  EXPECT_TRUE(t.tracker.closed());
}

TEST(Tracker, KnowsTheSynOfAnotherConnection) {
  Talk t;
  const auto starts_another = [&](const Told& told) { return t.tracker.starts_another(t.packet(told), told.sender); };
  EXPECT_FALSE(starts_another(client().seq(0).flags(kSyn)));
  t.send(client().seq(0).flags(kSyn));
  EXPECT_FALSE(starts_another(client().seq(0).flags(kSyn)));
  EXPECT_FALSE(starts_another(server().seq(0).flags(kSyn)));     // simultaneous open
  EXPECT_TRUE(starts_another(client().seq(90000).flags(kSyn)));  // the first was never answered
  t.after(1s).open();
  EXPECT_FALSE(starts_another(client().seq(90000).flags(kSyn)));  // blind: RFC 5961 §4
  t.send(client().flags(kRst));
  EXPECT_TRUE(starts_another(client().seq(90000).flags(kSyn)));
  EXPECT_TRUE(starts_another(server().seq(90000).flags(kSyn)));
  EXPECT_FALSE(starts_another(client().seq(0).flags(kSyn)));
}

TEST(Tracker, BeginsAnewInPlaceIfNobodySplitsTheFlow) {
  Talk t;
  t.open();
  t.send(client().data(100));
  t.after(1s).send(client().data(100));
  t.send(client().seq(101).flags(kRst));
  t.after(1s).send(client().seq(90000).flags(kSyn));
  t.after(30ms).send(server().seq(90000).ack(90001).flags(kSyn | kAck));
  t.after(10ms).send(client().seq(90001));
  EXPECT_EQ(t.tracker.handshake_rtt(kServer), 30 * kMillisecond);
  EXPECT_FALSE(t.tracker.closed());
  EXPECT_EQ(t.of(kClient).retransmitted_packets, 1u);  // what was counted stays
  EXPECT_EQ(t.send(client().seq(90001).data(5)), Verdict::fresh);
}

TEST(Tracker, IsNotMisledByWhatWasForgedBeforeTheSynAck) {
  Talk t;
  t.send(client().seq(0).flags(kSyn));
  t.send(server().seq(77777).ack(1).fin());
  t.after(20ms).send(server().seq(0).ack(1).flags(kSyn | kAck));
  EXPECT_EQ(t.send(server().seq(1).data(100)), Verdict::fresh);
  EXPECT_EQ(t.of(kServer).retransmitted_packets + t.of(kServer).out_of_order_packets, 0u);
}

TEST(Tracker, CountsAnewInEachInterval) {
  Talk t;
  t.open();
  t.send(client().data(100));
  t.after(20ms).send(server());
  t.after(1s).send(client().data(100));
  t.tracker.start_interval();
  EXPECT_EQ(t.of(kClient).retransmitted_packets, 0u);
  EXPECT_EQ(t.of(kClient).flags, 0);
  EXPECT_EQ(t.tracker.rtt(kServer).count, 0u);
  EXPECT_EQ(t.tracker.handshake_rtt(kServer), 20 * kMillisecond);
  t.send(client().data(100));
  EXPECT_EQ(t.of(kClient).retransmitted_packets, 1u);
  EXPECT_EQ(t.of(kClient).flags, kAck);
}

TEST(Tracker, IsSmallEnoughForOnePerConnection) { EXPECT_LE(sizeof(Tracker), 768u); }

TEST(Tracker, DatesEverySegmentOfALargeWindow) {
  constexpr std::uint32_t kWindow = 400;
  for (const std::uint32_t start : {1000u, 0xffffff00u}) {
    Talk t(start);
    t.open();
    for (int round = 0; round < 3; ++round) {
      const std::uint32_t first = 1 + static_cast<std::uint32_t>(round) * kWindow * 100;
      for (std::uint32_t i = 0; i < kWindow; ++i) t.after(10us).send(client().seq(first + i * 100).data(100));
      EXPECT_EQ(t.troubles.backlogs_in_use(), 1u);
      t.after(6ms);
      for (std::uint32_t i = 1; i <= kWindow; ++i) t.after(10us).send(server().ack(first + i * 100));
      EXPECT_EQ(t.troubles.backlogs_in_use(), 0u);  // all is acknowledged
    }
    EXPECT_EQ(t.tracker.rtt(kServer).count, 3 * kWindow);
    EXPECT_EQ(t.tracker.rtt(kServer).min_us, 10'000u);
    EXPECT_EQ(t.tracker.rtt(kServer).max_us, 10'000u);
    EXPECT_FALSE(t.marked(Quality::tracker_full));
  }
}

TEST(Tracker, ForgetsWhatLiesBehindARetransmissionInALargeWindow) {
  Talk t;
  t.open();
  for (std::uint32_t i = 0; i < 100; ++i) t.send(client().seq(1 + i * 100).data(100));
  t.after(20ms).send(client().seq(1 + 50 * 100).data(100));
  EXPECT_EQ(t.troubles.backlogs_in_use(), 1u);
  t.send(client().seq(1 + 10 * 100).data(100));
  EXPECT_EQ(t.troubles.backlogs_in_use(), 0u);
  t.after(5ms).send(server().ack(1 + 10 * 100));
  t.after(5ms).send(server().ack(1 + 100 * 100));
  EXPECT_EQ(t.tracker.rtt(kServer).count, 1u);
}

TEST(Tracker, SaysSoIfAWindowIsLargerThanItFollows) {
  Talk t;
  t.open(10);
  constexpr std::uint32_t kMost = Outstanding::kCapacity + Backlog::kCapacity;
  for (std::uint32_t i = 0; i < kMost; ++i) t.send(client().seq(1 + i).data(1));
  EXPECT_FALSE(t.marked(Quality::tracker_full));
  t.send(client().seq(1 + kMost).data(1));
  EXPECT_TRUE(t.marked(Quality::tracker_full));
}

TEST(Tracker, CountsWhatIsRepeatedInASimultaneousOpen) {
  const auto syn = [](Sender s, int more = 0) { return Told(s).seq(0).flags(tcp_flag::kSyn | more); };
  Talk t;
  for (const Sender s : {kClient, kServer}) t.after(1ms).send(syn(s));
  for (const Sender s : {kClient, kServer}) t.after(1s).send(syn(s));
  for (const Sender s : {kClient, kServer}) t.after(20ms).send(syn(s, tcp_flag::kAck));
  for (const Sender s : {kClient, kServer}) EXPECT_EQ(t.of(s).retransmitted_packets, 1u);
  for (const Sender s : {kClient, kServer}) t.after(1s).send(syn(s, tcp_flag::kAck));
  for (const Sender s : {kClient, kServer}) EXPECT_EQ(t.of(s).retransmitted_packets, 2u);
  for (const Sender s : {kClient, kServer}) t.after(10ms).send(Told(s).seq(1).ack(1).sack(0, 1));
  for (const Sender s : {kClient, kServer}) EXPECT_EQ(t.of(s).spurious_packets, 1u);  // the last one: acknowledged
}

TEST(Tracker, MarksTheHandshakeIfTheServerMayHaveAnsweredTwice) {
  Talk t;
  t.send(client().seq(0).flags(tcp_flag::kSyn));
  const auto answer = server().seq(0).flags(tcp_flag::kSyn | tcp_flag::kAck).no_id();
  t.after(20ms).send(answer);
  EXPECT_FALSE(t.marked(Quality::handshake_repeated));
  EXPECT_EQ(t.after(30us).send(answer), Verdict::duplicate);
  EXPECT_TRUE(t.marked(Quality::handshake_repeated));
}

TEST(Tracker, TakesMemoryForTroublesOnlyOnceItHasSome) {
  Talk t;
  t.open();
  t.send(client().seq(1).data(100));
  t.after(1ms).send(server().seq(1));
  t.send(client().seq(101).data(100));
  EXPECT_EQ(t.troubles.in_use(), 0u);
  t.after(200ms).send(client().seq(101).data(100));
  t.send(client().seq(301).data(100));
  EXPECT_EQ(t.troubles.in_use(), 1u);
  t.tracker.start_interval();
  EXPECT_EQ(t.of(kClient).retransmitted_packets, 0u);
  EXPECT_EQ(t.troubles.in_use(), 1u);
}

TEST(Tracker, GivesMemoryOfItsTroublesBack) {
  TrackerPool pool(1);
  for (int i = 0; i < 3; ++i) {
    Talk t;
    Tracker* const tracker = pool.make();
    ASSERT_NE(tracker, nullptr);
    for (const Sender s : {kClient, kServer}) {
      tracker->on_segment(t.packet(Told(s).seq(1).data(100)), s);
      tracker->on_segment(t.packet(Told(s).seq(1).data(100)), s);
      EXPECT_EQ(tracker->measures(s).retransmitted_packets, 1u);
    }
    pool.destroy(tracker);
  }
}

}  // namespace
}  // namespace probe::tcp
