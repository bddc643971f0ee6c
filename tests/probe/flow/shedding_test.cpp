#include "probe/flow/shedding.h"

#include <gtest/gtest.h>

#include <vector>

namespace probe {
namespace {

using Verdict = Shedding::Verdict;

Packet packet(std::uint32_t flow, Nanos time) {
  Packet p;
  p.key.low_address.low = flow;
  p.key.high_address.low = 0x0a000001;
  p.key.protocol = ip_protocol::kUdp;
  p.hash = p.key.hash();
  p.time = 1'700'000'000 * kSecond + time;
  return p;
}

SheddingOptions room_for(std::size_t flows) {
  SheddingOptions o;
  o.flows = flows;
  return o;
}

// A worker asks only while shedding is active.
Verdict ask(Shedding& s, const Packet& p) { return s.active() ? s.judge(p) : Verdict::whole; }

std::uint32_t first_of(Shedding& s, Verdict v, Nanos time = 0) {
  for (std::uint32_t i = 0;; ++i)
    if (ask(s, packet(i, time)) == v) return i;
}

TEST(Shedding, BeginsEveryFlowUnlessItIsTold) {
  Counters counters;
  Shedding s(room_for(1000), counters);
  EXPECT_FALSE(s.active());
  EXPECT_TRUE(s.dissects());
  s.set_level(1);
  EXPECT_FALSE(s.active());
  EXPECT_FALSE(s.dissects());
  EXPECT_EQ(s.halvings(), 0u);
}

TEST(Shedding, WithoutMemoryNothingIsShed) {
  Counters counters;
  Shedding s({}, counters);
  s.set_level(5);
  EXPECT_FALSE(s.active());
  EXPECT_TRUE(s.dissects());
}

TEST(Shedding, EachLevelBeginsHalfOfTheFlowsOfTheOneBefore) {
  for (unsigned level = 2; level < 6; ++level) {
    Counters counters;
    Shedding s(room_for(100'000), counters);
    s.set_level(level);
    std::uint64_t begun = 0;
    for (std::uint32_t i = 0; i < 40'000; ++i) begun += ask(s, packet(i, 0)) != Verdict::shed ? 1 : 0;
    const double expected = 40'000.0 / (1u << s.halvings());
    EXPECT_NEAR(static_cast<double>(begun), expected, 0.1 * expected);
    EXPECT_EQ(counters[Counter::shed_flows], 40'000 - begun);
    EXPECT_EQ(counters[Counter::shed_packets], 40'000 - begun);
  }
}

TEST(Shedding, TakesPartsOfAStaticSample) {
  Counters counters;
  SheddingOptions o = room_for(100'000);
  o.sampled = 4;
  Shedding s(o, counters);
  s.set_level(2);
  std::uint64_t begun = 0;
  for (std::uint32_t i = 0; i < 40'000; ++i) begun += ask(s, packet(i, 0)) != Verdict::shed ? 1 : 0;
  EXPECT_NEAR(static_cast<double>(begun), 5000, 400);
}

TEST(Shedding, AFlowThatWasShedStaysSoUntilItPauses) {
  Counters counters;
  Shedding s(room_for(1000), counters);
  s.set_level(4);
  const std::uint32_t flow = first_of(s, Verdict::shed);
  s.set_level(0);
  for (Nanos t = 0; t < 100 * kSecond; t += 20 * kSecond) EXPECT_EQ(ask(s, packet(flow, t)), Verdict::shed);
  EXPECT_EQ(ask(s, packet(1'000'000, 100 * kSecond)), Verdict::whole);
  EXPECT_EQ(ask(s, packet(flow, 80 * kSecond + 31 * kSecond)), Verdict::whole);
}

TEST(Shedding, AFlowThatNeverPausesIsMeasuredAgainAndMarked) {
  Counters counters;
  Shedding s(room_for(1000), counters);
  s.set_level(4);
  const std::uint32_t flow = first_of(s, Verdict::shed);
  s.set_level(0);
  for (Nanos t = 0; t < 299 * kSecond; t += 20 * kSecond) EXPECT_EQ(ask(s, packet(flow, t)), Verdict::shed);
  EXPECT_EQ(ask(s, packet(flow, 301 * kSecond)), Verdict::joined);
  EXPECT_EQ(counters[Counter::shed_flows_joined], 1u);
}

TEST(Shedding, IsOverOnceAllThatWasShedIsForgotten) {
  Counters counters;
  Shedding s(room_for(1000), counters);
  s.set_level(2);
  first_of(s, Verdict::shed);
  s.set_level(0);
  EXPECT_TRUE(s.active());
  EXPECT_EQ(ask(s, packet(77, 61 * kSecond)), Verdict::whole);
  EXPECT_FALSE(s.active());
}

TEST(Shedding, AnotherEpisodeKnowsNothingOfTheOneBefore) {
  Counters counters;
  Shedding s(room_for(1000), counters);
  s.set_level(3);
  const std::uint32_t flow = first_of(s, Verdict::shed);
  s.forget();
  s.set_level(0);
  s.set_level(2);
  EXPECT_EQ(ask(s, packet(flow, 0)), Verdict::shed);  // by its lot: counted as a flow once more
  s.forget();
  s.set_level(0);
  EXPECT_EQ(ask(s, packet(flow, 0)), Verdict::whole);
}

TEST(Shedding, MarksFlowsThatItMayHaveForgotten) {
  Counters counters;
  Shedding s(room_for(16), counters);
  s.set_level(2);
  std::vector<std::uint32_t> shed;
  for (std::uint32_t i = 0; i < 1000; ++i)
    if (ask(s, packet(i, 0)) == Verdict::shed) shed.push_back(i);
  s.set_level(0);
  std::uint64_t joined = 0;
  for (const std::uint32_t flow : shed) {
    const Verdict v = ask(s, packet(flow, kSecond));
    EXPECT_NE(v, Verdict::whole);
    joined += v == Verdict::joined ? 1 : 0;
  }
  EXPECT_GT(joined, 100u);
  Packet syn = packet(2'000'000, kSecond);
  syn.key.protocol = ip_protocol::kTcp;
  syn.hash = syn.key.hash();
  syn.tcp.flags = tcp_flag::kSyn;
  EXPECT_EQ(ask(s, syn), Verdict::whole);
}

TEST(Shedding, ItsMemoryIsSmallBesideThatOfTheFlows) {
  Counters counters;
  EXPECT_LT(Shedding(room_for(1 << 18), counters).octets(), (1u << 18) * 32u);
}

Packet segment(std::uint32_t flow, std::uint8_t flags, Nanos time) {
  Packet p = packet(flow, time);
  p.key.protocol = ip_protocol::kTcp;
  p.hash = p.key.hash();
  p.tcp.flags = flags;
  return p;
}

TEST(Shedding, AheadOfTheTableAConnectionIsShedFromItsSynOn) {
  Counters counters;
  Shedding s(room_for(1000), counters);
  s.set_level(2);
  std::uint32_t flow = 0, other = 0;
  while (!s.sheds_from_syn(segment(flow, tcp_flag::kSyn, 0))) ++flow;
  EXPECT_EQ(counters[Counter::shed_flows], 1u);
  EXPECT_TRUE(s.sheds_from_syn(segment(flow, tcp_flag::kSyn | tcp_flag::kAck, kSecond)));
  EXPECT_TRUE(s.sheds_from_syn(segment(flow, tcp_flag::kAck, 2 * kSecond)));
  EXPECT_EQ(counters[Counter::shed_packets], 3u);
  EXPECT_EQ(counters[Counter::shed_flows], 1u);

  // Of others it is not known whether they are in the table.
  for (other = flow + 1; other < flow + 100; ++other) {
    EXPECT_FALSE(s.sheds_from_syn(segment(other, tcp_flag::kAck, 0)));
    EXPECT_FALSE(s.sheds_from_syn(packet(other, 0)));
  }

  s.set_level(0);
  EXPECT_TRUE(s.active());
  EXPECT_TRUE(s.sheds_from_syn(segment(flow, tcp_flag::kAck, 3 * kSecond)));
  EXPECT_FALSE(s.sheds_from_syn(segment(flow, tcp_flag::kSyn, 100 * kSecond)));
  EXPECT_FALSE(s.active());
}

}  // namespace
}  // namespace probe
