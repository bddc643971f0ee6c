#include "probe/traffic/packet_measures.h"

#include <gtest/gtest.h>

#include "probe/base/pool.h"

namespace probe::traffic {
namespace {

Packet packet(Nanos time, std::uint32_t payload = 100, std::uint32_t header = 28) {
  Packet p;
  p.time = time;
  p.payload_length = payload;
  p.ip_octets = payload + header;
  return p;
}
SideMeasures measured(std::initializer_list<Packet> packets) {
  SideMeasures m;
  for (const Packet& p : packets) m.add(p);
  return m;
}
SideMeasures at(std::initializer_list<Nanos> times) {
  SideMeasures m;
  for (const Nanos t : times) m.add(packet(t));
  return m;
}

TEST(SideMeasures, CountsSmallAndLargePayload) {
  const SideMeasures m =
      measured({packet(1, 0), packet(1, 1), packet(1, 59), packet(1, 60), packet(1, 225), packet(1, 226)});
  EXPECT_EQ(m.non_empty(), 5u);
  EXPECT_EQ(m.small(), 2u) << "1 and 59; empty ones are none";
  EXPECT_EQ(m.large(), 1u) << "226";
  EXPECT_EQ(m.payload(), 571u);
  EXPECT_EQ(m.first_payload(), 1u);
  EXPECT_EQ(m.most_payload(), 226u);
}

TEST(SideMeasures, TellsTheDeviationOfPayload) {
  EXPECT_EQ(measured({packet(1, 100), packet(2, 300), packet(3, 0)}).payload_deviation(), 100u);
  EXPECT_EQ(measured({packet(1, 1460), packet(2, 1460), packet(3, 1460)}).payload_deviation(), 0u);
}

TEST(SideMeasures, PutsPacketsIntoClassesOfSize) {
  SideMeasures m;
  for (const std::uint32_t octets : {40u, 128u, 129u, 256u, 257u, 512u, 1024u, 1025u, 1514u, 1515u, 64'000u})
    m.add(packet(1, octets - 28));
  EXPECT_EQ(m.classes(), (std::array<std::uint32_t, 6>{2, 2, 2, 1, 2, 2}));
  EXPECT_EQ(m.least_length(), 40u);
  EXPECT_EQ(m.greatest_length(), 64'000u);
}

TEST(SideMeasures, LeavesOutTheSizeOfADatagramInFragments) {
  Packet p = packet(1, 4000);
  p.fragmented = true;
  const SideMeasures m = measured({p});
  EXPECT_FALSE(m.has_lengths());
  EXPECT_EQ(m.payload(), 4000u);
}

TEST(SideMeasures, TellsTheTimesBetweenPackets) {
  const SideMeasures m = at({0, 10 * kMillisecond, 30 * kMillisecond, 60 * kMillisecond});
  EXPECT_EQ(m.gaps(), 3u);
  EXPECT_EQ(m.least_gap(), 10 * kMillisecond);
  EXPECT_EQ(m.mean_gap(), 20 * kMillisecond);
  EXPECT_EQ(m.greatest_gap(), 30 * kMillisecond);
  EXPECT_EQ(m.gap_deviation(), 8'165 * kMicrosecond);
  EXPECT_EQ(m.idle(), 0);
}

TEST(SideMeasures, EvenTimesHaveNeitherJitterNorDeviation) {
  SideMeasures m;
  for (Nanos i = 0; i < 500; ++i) m.add(packet(i * 20 * kMillisecond));
  EXPECT_EQ(m.jitter(), 0);
  EXPECT_EQ(m.gap_deviation(), 0);
}

TEST(SideMeasures, JitterIsTheSmoothedChangeOfTheTimesBetween) {
  const SideMeasures m = at({0, 20 * kMillisecond, 56 * kMillisecond, 76 * kMillisecond});
  EXPECT_EQ(m.jitter(), 1'937'500) << "16 ms / 16, then 1 ms + (16 ms - 1 ms) / 16";
}

TEST(SideMeasures, GapsOfMoreThanASecondAreIdleTime) {
  EXPECT_EQ(at({0, kSecond, 3 * kSecond, 3 * kSecond + 1, 10 * kSecond}).idle(), 9 * kSecond - 1);
}

TEST(SideMeasures, PacketsOutOfOrderMakeNoGap) {
  const SideMeasures m = at({kSecond, kSecond + 2 * kMillisecond, kSecond + kMillisecond, kSecond + 4 * kMillisecond});
  EXPECT_EQ(m.gaps(), 2u);
  EXPECT_EQ(m.least_gap(), 2 * kMillisecond);
}

TEST(SideMeasures, TheBestSecondIsThePeak) {
  SideMeasures m;
  for (const Nanos t :
       {0 * kSecond, 1 * kSecond, kSecond + kMillisecond, 5 * kSecond, 5 * kSecond + 1, 5 * kSecond + 2})
    m.add(packet(t, 972));
  EXPECT_EQ(m.peak(), 3'000u);
  m.add(packet(100 * kSecond, 4'972));
  EXPECT_EQ(m.peak(), 5'000u) << "the running second counts too";
}

TEST(SideMeasures, KeepsTheFirstFlagsApart) {
  SideMeasures m;
  for (const int flags : {+tcp_flag::kSyn, +tcp_flag::kAck, tcp_flag::kAck | tcp_flag::kPsh}) {
    Packet p = packet(1);
    p.key.protocol = ip_protocol::kTcp;
    p.tcp.flags = static_cast<std::uint8_t>(flags);
    m.add(p);
  }
  EXPECT_EQ(m.first_flags(), tcp_flag::kSyn);
  EXPECT_EQ(m.further_flags(), tcp_flag::kAck | tcp_flag::kPsh);
}

TEST(PacketMeasures, AnIntervalStartsAnew) {
  PacketMeasures m(kNoSlot);
  m.add(packet(kSecond));
  m.start_interval();
  m.add(packet(100 * kSecond));
  EXPECT_EQ(m.sides[0].gaps(), 0u) << "the time between intervals belongs to none";
  EXPECT_EQ(m.sides[0].payload(), 100u);
  EXPECT_EQ(m.first.count(), 0u) << "these were told with the first interval";
}

}  // namespace
}  // namespace probe::traffic
