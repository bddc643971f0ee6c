// What goes beyond the basics (option metrics.tcp_detail): each story far from the wrap of sequence numbers and across
// it. Distances as in Talk::open: 5 ms one way to the client, 10 ms to the server.
#include <gtest/gtest.h>

#include "tests/probe/tcp/talk.h"

namespace probe::tcp {
namespace {

using namespace tcp_flag;

class Detail : public testing::TestWithParam<std::uint32_t> {
 protected:
  Detail() : t(GetParam(), GetParam() + 7) {}

  Told data(std::uint32_t seq, std::uint32_t n = 1000) { return client().seq(seq).data(n); }
  Told answer(std::uint32_t ack) { return server().ack(ack); }
  // The server has announced a window that is scaled.
  void open_wide() {
    t.open();
    t.send(server());
  }
  // Round trips of 30 ms in all, so that the sender's timeout is known.
  void warm_up(std::uint32_t& next) {
    for (int i = 0; i < 8; ++i) {
      t.send(data(next));
      next += 1000;
      t.after(20ms).send(answer(next).data(0));
      t.after(10ms);
    }
  }

  Talk t;
};

INSTANTIATE_TEST_SUITE_P(From, Detail, testing::Values(1000u, 0xffffff00u, 0x7fffff80u));

// --- round trips

TEST_P(Detail, RoundTripsAreSmoothed) {
  t.open();
  t.send(data(1));
  t.after(20ms).send(answer(1001));
  const Sending& d = t.sending[kClient];
  EXPECT_EQ(d.smoothed_us_8 >> 3, 20'000u);  // RFC 6298 §2.2
  EXPECT_EQ(d.variation_us_4 >> 2, 10'000u);
  t.after(10ms).send(data(1001));
  t.after(28ms).send(answer(2001));
  EXPECT_EQ(d.smoothed_us_8 >> 3, 21'000u);  // 7/8 * 20 + 1/8 * 28
  EXPECT_EQ(d.variation_us_4 >> 2, 9'500u);  // 3/4 * 10 + 1/4 * 8
  EXPECT_NEAR(t.percentile(kServer, 50), 20'000, 600);
  EXPECT_NEAR(t.percentile(kServer, 99), 28'000, 900);
}

TEST_P(Detail, SackDatesASegmentThatCannotBeAcknowledged) {
  t.open();
  t.send(data(1));
  t.send(data(1001));
  t.send(data(2001));
  t.after(20ms).send(answer(1).sack(1001, 2001));
  t.after(1ms).send(answer(1).sack(1001, 3001));
  EXPECT_EQ(t.rare(kClient).more_samples, 2u);
  EXPECT_EQ(t.tracker.rtt(kServer).count, 0u);
  EXPECT_NEAR(t.percentile(kServer, 50), 20'000, 600);
  t.send(answer(1).sack(1001, 3001));  // nothing new
  EXPECT_EQ(t.rare(kClient).more_samples, 2u);
  EXPECT_EQ(t.rare(kServer).sack_blocks, 3u);
}

TEST_P(Detail, SackThatWasOvertakenCountsToo) {
  t.open();
  t.send(client().seq(1).data(100));
  t.send(client().seq(101).data(100));
  t.after(20ms).send(server().ack(201));
  t.after(1ms).send(server().ack(101).sack(1, 101));
  t.send(server().ack(1).sack(101, 201));
  EXPECT_EQ(t.rare(kServer).dsacks, 1u);
  EXPECT_EQ(t.rare(kServer).sack_blocks, 1u);
}

TEST_P(Detail, SackOfASegmentSentTwiceIsNoSample) {
  t.open();
  t.send(data(1));
  t.send(data(1001));
  t.after(300ms).send(data(1001));
  t.after(20ms).send(answer(1).sack(1001, 2001));
  EXPECT_EQ(t.rare(kClient).more_samples, 0u);
}

TEST_P(Detail, TimestampsTellWhichCopyWasAcknowledged) {
  t.timestamps = true;
  t.open();
  t.send(data(1));
  t.after(300ms).send(data(1));
  const std::uint32_t second = t.clock();
  t.after(20ms).send(answer(1001).echo(second));
  EXPECT_EQ(t.rare(kClient).more_samples, 1u);
  EXPECT_NEAR(t.percentile(kServer, 50), 20'000, 600);
  EXPECT_EQ(t.rare(kClient).spurious_by_timestamp, 0u);
}

TEST_P(Detail, TimestampsTellThatTheFirstCopyArrived) {
  t.timestamps = true;
  t.open();
  t.send(data(1));
  const std::uint32_t first = t.clock();
  t.after(300ms).send(data(1));
  t.after(1ms).send(answer(1001).echo(first));
  EXPECT_EQ(t.rare(kClient).more_samples, 0u);
  EXPECT_EQ(t.rare(kClient).spurious_by_timestamp, 1u);
  EXPECT_EQ(t.of(kClient).spurious_packets, 1u);
  t.after(20ms).send(answer(1001).sack(1, 1001));  // about the same copy
  EXPECT_EQ(t.of(kClient).spurious_packets, 1u);
}

TEST_P(Detail, TimestampsOfTheSameTickTellNothing) {
  t.timestamps = true;
  t.open();
  t.send(data(1));
  const std::uint32_t both = t.clock();
  t.after(300ms).send(data(1).time(both, 0));
  t.after(20ms).send(answer(1001).echo(both));
  EXPECT_EQ(t.rare(kClient).more_samples, 0u);
  EXPECT_EQ(t.rare(kClient).spurious_by_timestamp, 0u);
}

TEST_P(Detail, OnlyTheFirstSegmentOutstandingIsJudgedByItsTimestamp) {
  t.timestamps = true;
  t.open();
  t.send(data(1));
  const std::uint32_t first = t.clock();
  t.after(1ms).send(data(1001));
  t.after(300ms).send(data(1001));
  t.after(20ms).send(answer(2001).echo(first));  // of the segment before, as RFC 7323 §4.3 has it
  EXPECT_EQ(t.rare(kClient).spurious_by_timestamp, 0u);
}

// --- kinds of retransmissions

TEST_P(Detail, SilenceMakesATimeout) {
  t.open();
  std::uint32_t next = 1;
  warm_up(next);
  t.send(data(next));
  t.after(250ms).send(data(next));
  EXPECT_EQ(t.rare(kClient).timeouts, 1u);
  t.after(500ms).send(data(next));  // twice as long
  EXPECT_EQ(t.rare(kClient).timeouts, 2u);
  EXPECT_EQ(t.rare(kClient).recoveries, 0u);
}

TEST_P(Detail, DuplicateAcknowledgementsMakeARecovery) {
  t.open();
  std::uint32_t next = 1;
  warm_up(next);
  for (std::uint32_t i = 0; i < 5; ++i) t.send(data(next + i * 1000));
  t.after(20ms);
  for (int i = 0; i < 4; ++i) t.send(answer(next));
  t.after(10ms).send(data(next));
  EXPECT_EQ(t.rare(kClient).recoveries, 1u);
  EXPECT_EQ(t.rare(kClient).timeouts, 0u);
}

TEST_P(Detail, ALongRoundTripIsNoTimeout) {
  t.send(client().seq(0).flags(kSyn).scale(7));
  t.after(300ms).send(server().seq(0).flags(kSyn | kAck).scale(7));
  t.after(10ms).send(client());
  for (std::uint32_t i = 0; i < 5; ++i) t.send(data(1 + i * 1000));
  t.after(300ms);
  for (int i = 0; i < 4; ++i) t.send(answer(1));
  t.after(10ms).send(data(1));
  EXPECT_EQ(t.rare(kClient).recoveries, 1u);
  EXPECT_EQ(t.rare(kClient).timeouts, 0u);
}

TEST_P(Detail, TheLastSegmentAgainAfterTwoRoundTripsIsATailProbe) {
  t.open();
  std::uint32_t next = 1;
  warm_up(next);
  for (std::uint32_t i = 0; i < 3; ++i) t.send(data(next + i * 1000));
  t.after(62ms).send(data(next + 2000));
  EXPECT_EQ(t.rare(kClient).tail_probes, 1u);
  EXPECT_EQ(t.rare(kClient).timeouts + t.rare(kClient).recoveries, 0u);
  t.after(300ms).send(data(next));  // the timer then sends the first one
  EXPECT_EQ(t.rare(kClient).timeouts, 1u);
}

TEST_P(Detail, SynsAreSentAgainByTimersOnly) {
  t.send(client().seq(0).flags(kSyn));
  t.after(1000ms).send(client().seq(0).flags(kSyn));
  t.after(2000ms).send(client().seq(0).flags(kSyn));
  t.after(20ms).send(server().seq(0).flags(kSyn | kAck));
  t.after(1000ms).send(server().seq(0).flags(kSyn | kAck));
  EXPECT_EQ(t.rare(kClient).timeouts, 2u);
  EXPECT_EQ(t.sending[kClient].syn.repeats, 2u);
  EXPECT_EQ(t.sending[kServer].syn.repeats, 1u);
  t.tracker.start_interval();
  EXPECT_EQ(t.sending[kClient].syn.repeats + t.sending[kServer].syn.repeats, 0u);
}

TEST_P(Detail, ProofsOfNeedlessnessAreToldApart) {
  t.open();
  t.send(data(1));
  t.after(20ms).send(answer(1001));
  t.after(300ms).send(data(1));  // acknowledged before
  t.after(10ms).send(data(1001));
  t.after(300ms).send(data(1001));
  t.after(20ms).send(answer(2001).sack(1001, 2001));  // DSACK
  EXPECT_EQ(t.rare(kClient).spurious_by_ack, 1u);
  EXPECT_EQ(t.rare(kClient).spurious_by_dsack, 1u);
  EXPECT_EQ(t.of(kClient).spurious_packets, 2u);
  EXPECT_EQ(t.rare(kServer).dsacks, 1u);
  EXPECT_EQ(t.rare(kServer).sack_blocks, 0u);
}

TEST_P(Detail, CopiesMadeByTheNetworkAreCounted) {
  t.open();
  const Packet p = t.packet(data(1));
  t.tracker.on_segment(p, kClient);
  t.again(p, kClient);
  t.again(p, kClient);
  EXPECT_EQ(t.rare(kClient).network_duplicates, 2u);
  EXPECT_EQ(t.of(kClient).retransmitted_packets, 0u);
}

// --- reordering

TEST_P(Detail, ReorderingHasAnExtent) {
  t.timestamps = true;
  t.open();
  t.send(data(1));
  const Packet late = t.packet(data(1001));
  for (std::uint32_t i = 2; i < 5; ++i) t.after(1ms).send(data(1 + i * 1000));
  Packet p = late;
  p.time = t.after(2ms).now();
  EXPECT_EQ(t.again(p, kClient), Verdict::late);
  const RareCounts n = t.rare(kClient);
  EXPECT_EQ(n.reordered, 1u);
  EXPECT_EQ(n.reordered_by_timestamp, 1u);
  EXPECT_EQ(n.reordered_most_packets, 3u);
  EXPECT_EQ(n.reordered_most_us, 4'000u);  // the first that overtook it came 2 ms before the last
  EXPECT_EQ(n.reordered_us, 4'000u);
}

TEST_P(Detail, ReorderingToldWithoutTimestampsIsNotProvenByThem) {
  t.open();
  t.send(data(1));
  t.send(data(2001));
  t.after(1ms).send(data(1001));
  EXPECT_EQ(t.rare(kClient).reordered, 1u);
  EXPECT_EQ(t.rare(kClient).reordered_by_timestamp, 0u);
}

// --- windows, octets in flight

TEST_P(Detail, OctetsInFlightAreThoseNotAcknowledged) {
  t.open();
  t.send(data(1));
  t.send(data(1001));
  t.send(data(2001));
  t.after(20ms).send(answer(2001));
  t.after(10ms).send(data(3001));
  const Sending& d = t.sending[kClient];
  EXPECT_EQ(d.in_flight_most, 3'000u);
  EXPECT_EQ(d.in_flight_sum, 1'000u + 2'000u + 3'000u + 2'000u);
  EXPECT_EQ(d.segments, 4u);
  EXPECT_EQ(d.acknowledged, 2'000u);  // not the SYN
}

TEST_P(Detail, AFinIsNoData) {
  t.open();
  t.send(data(1).fin());
  t.after(20ms).send(answer(1002));
  EXPECT_EQ(t.sending[kClient].acknowledged, 1'000u);
}

TEST_P(Detail, WindowsAreThoseOfAcknowledgementsOfNewData) {
  t.open(0);
  t.send(data(1));
  t.after(20ms).send(answer(1001).window(3'000));
  t.after(10ms).send(data(1001));
  t.after(20ms).send(answer(2001).window(2'000));
  t.after(5ms).send(answer(2001).window(9'000));  // an update counts for the greatest only
  const Sending& d = t.sending[kClient];
  EXPECT_EQ(d.windows, 2u);
  EXPECT_EQ(d.window_sum, 5'000u);
  EXPECT_EQ(d.window_most, 9'000u);
}

TEST_P(Detail, TheWindowOfASynIsNotScaled) {
  t.send(client().seq(0).flags(kSyn).scale(7).maximum(1460));
  t.after(20ms).send(server().seq(0).flags(kSyn | kAck).scale(7).maximum(1460).window(2'000));
  t.after(10ms).send(client());
  t.send(data(1));
  t.send(data(1001));  // fills the window
  EXPECT_EQ(t.rare(kClient).window_full, 1u);
  t.after(20ms).send(answer(2001).window(2'000));  // 256000 octets
  t.after(10ms).send(data(2001));
  t.send(data(3001));
  EXPECT_EQ(t.rare(kClient).window_full, 1u);
}

TEST_P(Detail, AWindowIsFullWhenNoOctetFits) {
  t.open(0);
  t.send(answer(1).data(1).window(3'000));
  t.send(data(1));
  t.send(data(1001));
  EXPECT_EQ(t.rare(kClient).window_full, 0u);
  t.send(data(2001));
  EXPECT_EQ(t.rare(kClient).window_full, 1u);
  t.after(20ms).send(answer(2001).window(3'000));
  t.after(10ms).send(data(3001));
  t.send(data(4001));
  EXPECT_EQ(t.rare(kClient).window_full, 2u);
}

// --- what limits the sender

TEST_P(Detail, AFullWindowMakesTheReceiverTheLimit) {
  t.open(0);
  t.send(answer(1).data(1).window(3'000));
  t.send(data(1));
  t.send(data(1001));  // less than a segment of 1400 fits behind it
  t.after(20ms).send(answer(2001).window(30'000));
  EXPECT_EQ(t.limited(kClient, Limit::receiver), 20'000u);
  EXPECT_EQ(t.limited(kClient, Limit::congestion) + t.limited(kClient, Limit::application), 0u);
}

TEST_P(Detail, DataInFlightWithRoomInTheWindowIsCongestion) {
  open_wide();
  for (std::uint32_t i = 0; i < 4; ++i) t.send(data(1 + i * 1400, 1400));
  t.after(20ms).send(answer(2801));
  t.after(5ms).send(answer(5601));
  EXPECT_EQ(t.limited(kClient, Limit::congestion), 25'000u);
  EXPECT_EQ(t.limited(kClient, Limit::receiver) + t.limited(kClient, Limit::application), 0u);
}

TEST_P(Detail, APauseIsTheApplicationsButForTheWayBack) {
  open_wide();
  t.send(data(1, 1400));
  t.after(20ms).send(answer(1401));
  t.after(110ms).send(data(1401, 1400));  // the client is 10 ms away: it could have come then
  EXPECT_EQ(t.limited(kClient, Limit::congestion), 30'000u);
  EXPECT_EQ(t.limited(kClient, Limit::application), 100'000u);
}

TEST_P(Detail, AShortSegmentPushedSaysThatThereIsNoMore) {
  open_wide();
  t.send(data(1, 1400));
  t.send(data(1401, 100).push());
  t.after(20ms).send(answer(1501));
  t.after(50ms).send(data(1501, 1400));
  EXPECT_EQ(t.limited(kClient, Limit::application), 70'000u);
  EXPECT_EQ(t.limited(kClient, Limit::congestion), 0u);
}

TEST_P(Detail, MergedSegmentsAreWholeOnesToo) {
  open_wide();
  t.send(data(1, 5'600).push());  // four of 1400
  t.after(20ms).send(answer(5'601));
  EXPECT_EQ(t.limited(kClient, Limit::congestion), 20'000u);
  t.send(data(5'601, 5'700).push());
  t.after(20ms).send(answer(11'301));
  EXPECT_EQ(t.limited(kClient, Limit::application), 20'000u);
}

TEST_P(Detail, WaitingForARetransmissionIsCongestion) {
  open_wide();
  t.send(data(1, 100).push());
  t.after(300ms).send(data(1, 100).push());
  t.after(20ms).send(answer(101));
  EXPECT_EQ(t.limited(kClient, Limit::congestion), 320'000u);
}

TEST_P(Detail, SharesOfTimeAddUp) {
  t.open(0);
  std::uint32_t next = 1;
  warm_up(next);
  t.send(data(next, 200).push());
  t.after(20ms).send(answer(next + 200).window(100));
  t.after(40ms).send(answer(next + 200).window(9'000));
  t.after(10ms).send(data(next + 200));
  std::uint64_t all = 0;
  for (const Limit l : {Limit::congestion, Limit::application, Limit::receiver}) all += t.limited(kClient, l);
  EXPECT_EQ(all, 8 * 30'000u + 70'000u);
}

TEST_P(Detail, SumsPassThirtyTwoBits) {
  t.open(14);
  std::uint32_t next = 1;
  std::uint64_t octets = 0;
  for (int i = 0; i < 200; ++i) {
    t.send(data(next, 60'000'000));
    next += 60'000'000;
    octets += 60'000'000;
    t.after(40s).send(answer(next).window(60'000));
  }
  const Sending& d = t.sending[kClient];
  EXPECT_EQ(d.sum(Sending::kAcknowledged, d.acknowledged), octets);
  EXPECT_EQ(d.sum(Sending::kInFlight, d.in_flight_sum), octets);
  EXPECT_EQ(d.sum(Sending::kWindow, d.window_sum), 200ull * (60'000ull << 14));
  std::uint64_t all = 0;
  for (const Limit l : {Limit::congestion, Limit::application, Limit::receiver}) all += t.limited(kClient, l);
  EXPECT_EQ(all, 200ull * 40'000'000);
}

// --- rare segments

TEST_P(Detail, KeepAlivesAndWindowProbesAreToldApart) {
  t.open();
  t.send(data(1));
  t.after(20ms).send(answer(1001));
  t.after(10s).send(client().seq(1000));
  t.after(1s).send(client().seq(1000).data(1));
  EXPECT_EQ(t.rare(kClient).keep_alives, 2u);
  t.send(answer(1001).window(0));
  t.after(300ms).send(client().seq(1000));          // as Linux probes
  t.after(300ms).send(client().seq(1001).data(1));  // as others do
  t.after(300ms).send(client().seq(1001).data(1));
  EXPECT_EQ(t.rare(kClient).window_probes, 3u);
  EXPECT_EQ(t.rare(kClient).keep_alives, 2u);
}

TEST_P(Detail, CongestionMarksAreCounted) {
  t.send(client().seq(0).flags(kSyn | kEce | kCwr));
  t.after(20ms).send(server().seq(0).flags(kSyn | kAck | kEce));
  t.after(10ms).send(client());
  EXPECT_EQ(t.tracker.ecn(), EcnNegotiation::agreed);
  t.send(data(1).ecn(2));
  t.send(data(1001).ecn(3));
  t.after(20ms).send(answer(2001).flags(kAck | kEce));
  t.after(10ms).send(data(2001).flags(kAck | kCwr).ecn(2));
  EXPECT_EQ(t.rare(kClient).congestion_experienced, 1u);
  EXPECT_EQ(t.rare(kServer).ece, 1u);
  EXPECT_EQ(t.rare(kClient).cwr, 1u);
  EXPECT_EQ(t.rare(kClient).ece + t.rare(kServer).cwr, 0u);  // those of the SYNs do not count
}

TEST_P(Detail, EcnMustBeAskedForAndAgreed) {
  EXPECT_EQ(t.tracker.ecn(), EcnNegotiation::not_seen);
  t.send(client().seq(0).flags(kSyn | kEce | kCwr));
  EXPECT_EQ(t.tracker.ecn(), EcnNegotiation::not_seen);
  t.send(server().seq(0).flags(kSyn | kAck));
  EXPECT_EQ(t.tracker.ecn(), EcnNegotiation::refused);
  Talk other;
  other.open();
  EXPECT_EQ(other.tracker.ecn(), EcnNegotiation::not_asked);
}

// --- state

TEST_P(Detail, AConnectionGoesThroughItsStates) {
  EXPECT_EQ(t.tracker.state(), ConnectionState::mid_stream);
  t.send(client().seq(0).flags(kSyn));
  EXPECT_EQ(t.tracker.state(), ConnectionState::unanswered);
  t.send(server().seq(0).flags(kSyn | kAck));
  EXPECT_EQ(t.tracker.state(), ConnectionState::half_open);
  t.send(client());
  EXPECT_EQ(t.tracker.state(), ConnectionState::established);
  t.send(data(1).fin());
  EXPECT_EQ(t.tracker.state(), ConnectionState::half_closed);
  t.send(server().fin());
  EXPECT_EQ(t.tracker.state(), ConnectionState::closed);
  t.send(client().flags(kRst));  // as clients do that do not wait for the rest
  EXPECT_EQ(t.tracker.state(), ConnectionState::closed);
  EXPECT_EQ(t.sending[kClient].reset_phase, ResetPhase::after_fin);
}

TEST_P(Detail, ARefusedConnectionWasAnsweredByAReset) {
  t.send(client().seq(0).flags(kSyn));
  t.send(server().seq(0).flags(kRst | kAck));
  EXPECT_EQ(t.tracker.state(), ConnectionState::refused);
  EXPECT_EQ(t.sending[kServer].reset_phase, ResetPhase::handshake);
  EXPECT_EQ(t.sending[kClient].reset_phase, ResetPhase::none);
}

TEST_P(Detail, AScannerResetsWhatWasAnswered) {
  t.send(client().seq(0).flags(kSyn));
  t.send(server().seq(0).flags(kSyn | kAck));
  t.send(client().flags(kRst));
  EXPECT_EQ(t.tracker.state(), ConnectionState::reset);
  EXPECT_EQ(t.sending[kClient].reset_phase, ResetPhase::handshake);
}

TEST_P(Detail, ResetsHaveTheirPhase) {
  t.open();
  Talk later(GetParam());
  later.open();
  t.send(server().seq(1).flags(kRst));
  EXPECT_EQ(t.tracker.state(), ConnectionState::reset);
  EXPECT_EQ(t.sending[kServer].reset_phase, ResetPhase::before_data);
  later.send(data(1));
  later.send(server().flags(kRst | kAck));
  EXPECT_EQ(later.sending[kServer].reset_phase, ResetPhase::after_data);
}

TEST_P(Detail, SimultaneousOpensAndMiddlesAreTold) {
  t.send(client().seq(0).flags(kSyn));
  t.send(server().seq(0).flags(kSyn));
  EXPECT_EQ(t.tracker.state(), ConnectionState::simultaneous_open);
  Talk other(GetParam());
  other.send(data(1));
  EXPECT_EQ(other.tracker.state(), ConnectionState::mid_stream);
}

TEST_P(Detail, SynsAreRemembered) {
  t.open(9);
  EXPECT_TRUE(t.sending[kClient].syn.seen);
  EXPECT_EQ(t.sending[kClient].syn.window_scale, 9);
  EXPECT_EQ(t.sending[kClient].syn.maximum_segment, 1460);
  EXPECT_EQ(t.sending[kServer].syn.maximum_segment, 1400);
  EXPECT_EQ(t.sending[kClient].full_segment, 1400);
}

// --- one side only

TEST_P(Detail, AcknowledgementsTellOfASideThatIsNotSeen) {
  t.send(client().seq(0).flags(kSyn).scale(7));
  t.after(30ms).send(client().ack(1));
  EXPECT_EQ(t.tracker.state(), ConnectionState::established);
  EXPECT_EQ(t.sending[kServer].path_rtt_us, 30'000u);
  t.send(client().ack(1).data(100));
  t.after(40ms).send(client().ack(5'001));
  t.after(1ms).send(client().ack(5'001).fin());
  t.after(30ms).send(client().ack(5'002));  // of a FIN, most likely
  EXPECT_EQ(t.sending[kServer].acknowledged, 5'000u);
  EXPECT_FALSE(t.tracker.seen(kServer));
}

TEST_P(Detail, ARepeatedSynGivesNoRoundTripOfThePath) {
  t.send(client().seq(0).flags(kSyn));
  t.after(1000ms).send(client().seq(0).flags(kSyn));
  t.after(30ms).send(client().ack(1));
  EXPECT_EQ(t.sending[kServer].path_rtt_us, 0u);
}

// --- where it was lost

TEST_P(Detail, TrustInThePlaceOfALossNeedsOrder) {
  t.timestamps = true;
  t.open();
  EXPECT_EQ(t.tracker.loss_confidence(kClient), LossConfidence::high);
  Talk plain(GetParam());
  plain.send(client().seq(0).flags(kSyn).no_id());
  EXPECT_EQ(plain.tracker.loss_confidence(kClient), LossConfidence::low);  // only one side
  plain.after(20ms).send(server().seq(0).flags(kSyn | kAck).no_id());
  EXPECT_EQ(plain.tracker.loss_confidence(kClient), LossConfidence::low);
  plain.after(10ms).send(client().no_id());
  EXPECT_EQ(plain.tracker.loss_confidence(kClient), LossConfidence::medium);
  plain.send(server().no_id());
  plain.send(client().ack(9'000).no_id());
  EXPECT_EQ(plain.tracker.loss_confidence(kClient), LossConfidence::low);  // the capture lost something
}

// --- intervals, memory

TEST_P(Detail, AnIntervalBeginsAnew) {
  t.open(0);
  t.send(data(1));
  t.after(20ms).send(answer(1001));
  t.after(10ms).send(data(1001));
  t.after(300ms).send(data(1001));
  t.tracker.start_interval();
  const Sending& d = t.sending[kClient];
  EXPECT_TRUE(d.round_trips.empty());
  EXPECT_EQ(d.segments, d.interval_segments);
  EXPECT_EQ(d.in_flight_most + d.windows + d.acknowledged, 0u);
  EXPECT_EQ(t.rare(kClient).timeouts, 0u);
  EXPECT_EQ(d.smoothed_us_8 >> 3, 20'000u);  // of the connection
  t.after(20ms).send(answer(2001));
  EXPECT_EQ(t.limited(kClient, Limit::congestion), 0u) << "the interval begins with its first packet";
  EXPECT_EQ(d.acknowledged, 1'000u);
  t.after(30ms).send(data(2001));
  t.after(20ms).send(answer(3001));
  std::uint64_t all = 0;
  for (const Limit l : {Limit::congestion, Limit::application, Limit::receiver}) all += t.limited(kClient, l);
  EXPECT_EQ(all, 50'000u);
}

TEST_P(Detail, OrdinaryConnectionsTakeNoMoreMemory) {
  open_wide();
  std::uint32_t next = 1;
  warm_up(next);
  t.send(data(next).fin());
  t.send(server().fin());
  t.send(client());
  EXPECT_EQ(t.troubles.rarities_in_use(), 0u);
}

}  // namespace
}  // namespace probe::tcp
