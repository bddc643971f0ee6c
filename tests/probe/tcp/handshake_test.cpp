#include "probe/tcp/handshake.h"

#include <gtest/gtest.h>

#include "tests/probe/tcp/talk.h"

namespace probe::tcp {
namespace {

using namespace tcp_flag;

constexpr Nanos ms(double n) { return static_cast<Nanos>(n * 1e6); }
constexpr int kSynAck = kSyn | kAck;

Told syn() { return client().seq(0).flags(kSyn); }
Told syn_ack() { return server().seq(0).flags(kSynAck); }

void expect_rtt(const Talk& t, double server_ms, double client_ms) {
  EXPECT_EQ(t.tracker.handshake_rtt(kServer), ms(server_ms));
  EXPECT_EQ(t.tracker.handshake_rtt(kClient), ms(client_ms));
}

TEST(Handshake, IsSplitAtTheProbe) {
  Talk t;
  t.open();
  expect_rtt(t, 20, 10);
  EXPECT_EQ(t.tracker.initiator(), int{kClient});
  EXPECT_EQ(t.tracker.quality(), 0u);
  EXPECT_EQ(t.tracker.maximum_segment(kClient), 1460);
  EXPECT_EQ(t.tracker.maximum_segment(kServer), 1400);
}

TEST(Handshake, CountsFromTheLastSynAndIsMarkedWithoutTimestamps) {
  Talk t;
  t.send(syn());
  t.after(1s).send(syn());
  t.after(20ms).send(syn_ack());
  t.after(10ms).send(client());
  expect_rtt(t, 20, 10);
  EXPECT_TRUE(t.marked(Quality::handshake_repeated));
  EXPECT_EQ(t.of(kClient).retransmitted_packets, 1u);
  EXPECT_EQ(t.of(kClient).retransmitted_octets, 0u);
}

TEST(Handshake, IsNotAmbiguousIfTheTimestampOfTheLastSynComesBack) {
  Talk t;
  t.timestamps = true;
  t.send(syn());
  t.after(1s).send(syn());
  t.after(20ms).send(syn_ack());
  t.after(10ms).send(client());
  expect_rtt(t, 20, 10);
  EXPECT_FALSE(t.marked(Quality::handshake_repeated));
  EXPECT_EQ(t.of(kClient).spurious_packets, 0u);
}

TEST(Handshake, LearnsFromTheEchoThatTheFirstSynHadArrived) {
  Talk t;
  t.timestamps = true;
  const std::uint32_t first = t.clock();
  t.send(syn());
  t.after(1s).send(syn());
  t.after(20ms).send(syn_ack().echo(first));  // the answer to the first was lost; this repeats it
  expect_rtt(t, 20, -1e-6);
  EXPECT_TRUE(t.marked(Quality::handshake_repeated));
  EXPECT_EQ(t.of(kClient).spurious_packets, 1u);
}

TEST(Handshake, IsAmbiguousIfTheTimestampsOfTheCopiesAreEqual) {
  Talk t;
  t.send(syn().time(7, 0));
  t.after(1s).send(syn().time(7, 0));
  t.after(20ms).send(syn_ack().time(70, 7));
  EXPECT_TRUE(t.marked(Quality::handshake_repeated));
}

TEST(Handshake, FindsByTimestampWhichSynAckWasAnswered) {
  for (const bool first : {true, false}) {
    Talk t;
    t.timestamps = true;
    t.send(syn());
    const std::uint32_t early = t.after(20ms).clock();
    t.send(syn_ack());
    const std::uint32_t late = t.after(1s).clock();
    t.send(syn_ack());
    t.after(10ms).send(client().echo(first ? early : late));
    expect_rtt(t, 20, first ? 1010 : 10);
    EXPECT_FALSE(t.marked(Quality::handshake_repeated));
    EXPECT_EQ(t.of(kServer).retransmitted_packets, 1u);
  }
}

TEST(Handshake, IsNotRepeatedByACopyOfTheNetwork) {
  Talk t;
  t.send(syn().no_id());
  EXPECT_EQ(t.after(500us).send(syn().no_id()), Verdict::duplicate);
  t.after(20ms).send(syn_ack());
  expect_rtt(t, 20.5, -1e-6);
  EXPECT_EQ(t.of(kClient).retransmitted_packets, 0u);
}

TEST(Handshake, IsNotReplacedByAStraySynAck) {
  Talk t;
  t.open();
  t.after(1s).send(syn_ack().ack(1));
  t.after(10ms).send(client());
  expect_rtt(t, 20, 10);
  EXPECT_FALSE(t.marked(Quality::handshake_repeated));
  EXPECT_EQ(t.of(kServer).retransmitted_packets, 1u);
  EXPECT_EQ(t.of(kServer).spurious_packets, 1u);  // its acknowledgement had passed
}

TEST(Handshake, IsEndedByTheFirstDataIfTheAckWasLost) {
  Talk t;
  t.send(syn());
  t.after(20ms).send(syn_ack());
  t.after(300ms).send(client().data(100));
  expect_rtt(t, 20, 300);
  EXPECT_TRUE(t.marked(Quality::handshake_ack_late));
}

TEST(Handshake, HasNoClientSideIfTheFirstAckCoversDataOfTheServer) {
  Talk t;
  t.send(syn());
  t.after(20ms).send(syn_ack());
  t.after(5ms).send(server().data(50));
  t.after(200ms).send(client());
  EXPECT_EQ(t.tracker.handshake_rtt(kClient), Tracker::kUnknown);
}

TEST(Handshake, OfASimultaneousOpenTellsNothing) {
  Talk t;
  t.send(syn());
  t.after(1ms).send(server().seq(0).flags(kSyn));
  t.after(10ms).send(client().seq(0).flags(kSynAck));
  t.after(10ms).send(syn_ack());
  t.after(10ms).send(client().data(10));
  EXPECT_EQ(t.tracker.handshake_rtt(kClient), Tracker::kUnknown);
  EXPECT_EQ(t.tracker.handshake_rtt(kServer), Tracker::kUnknown);
  EXPECT_EQ(t.of(kClient).retransmitted_packets + t.of(kServer).retransmitted_packets, 0u);
}

TEST(Handshake, RejectsTimesThatRunBackwards) {
  Talk t;
  t.send(syn());
  t.after(-5ms).send(syn_ack());
  EXPECT_EQ(t.tracker.handshake_rtt(kServer), Tracker::kUnknown);
  EXPECT_TRUE(t.marked(Quality::time_disorder));
}

TEST(Handshake, IsMeasuredAlthoughTheSynComesBehindItsAnswer) {
  Talk t;
  t.after(2ms).send(syn_ack().ack(1));
  EXPECT_EQ(t.tracker.initiator(), int{kClient});
  t.after(-2ms).send(syn());
  t.after(12ms).send(client());
  expect_rtt(t, 2, 10);
  EXPECT_EQ(t.of(kClient).retransmitted_packets, 0u);
}

TEST(Handshake, KnowsTheInitiatorFromASynAckAlone) {
  Talk t;
  t.send(syn_ack().ack(1));
  t.after(10ms).send(server().data(10).ack(1));
  EXPECT_EQ(t.tracker.initiator(), int{kClient});
  EXPECT_EQ(t.tracker.handshake_rtt(kServer), Tracker::kUnknown);
  EXPECT_FALSE(t.marked(Quality::mid_stream));
}

TEST(Handshake, IgnoresASynAckThatAnswersAnotherSyn) {
  Talk t;
  t.send(syn());
  t.after(20ms).send(syn_ack().ack(0xfffffff0));
  EXPECT_EQ(t.tracker.handshake_rtt(kServer), Tracker::kUnknown);
  t.after(5ms).send(syn_ack().ack(1));
  EXPECT_EQ(t.tracker.handshake_rtt(kServer), ms(25));
}

TEST(Handshake, TakesFastOpenDataForData) {
  Talk t;
  t.send(syn().data(100));
  t.after(20ms).send(syn_ack());  // RFC 7413: acknowledges the data as well
  t.after(10ms).send(client().seq(101));
  expect_rtt(t, 20, 10);
  EXPECT_FALSE(t.marked(Quality::handshake_ack_late));
  EXPECT_EQ(t.tracker.top(kClient), t.sequence(kClient, 101));
}

TEST(Handshake, FastOpenDataThatWasNotTakenIsSentAgain) {
  Talk t;
  t.send(syn().data(100));
  t.after(20ms).send(syn_ack().ack(1));
  t.after(10ms).send(client().seq(1).data(100));
  EXPECT_EQ(t.of(kClient).retransmitted_packets, 1u);
  EXPECT_EQ(t.of(kClient).retransmitted_octets, 100u);
  EXPECT_EQ(t.of(kClient).spurious_packets, 0u);
}

}  // namespace
}  // namespace probe::tcp
