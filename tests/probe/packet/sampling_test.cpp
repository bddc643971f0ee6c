#include "probe/packet/sampling.h"

#include <gtest/gtest.h>

#include <array>

namespace probe {
namespace {

Packet packet(std::uint32_t flow, Nanos time = 0, bool from_high = false) {
  Packet p;
  p.key.low_address.low = flow;
  p.key.high_address.low = 0x0a000001;
  p.key.protocol = ip_protocol::kUdp;
  p.hash = p.key.hash();
  p.time = time;
  p.from_high = from_high;
  p.ip_octets = 100;
  return p;
}

TEST(Sampler, TakesEverythingUnlessItIsTold) {
  Counters counters;
  Sampler all({}, counters);
  for (std::uint32_t i = 0; i < 1000; ++i) EXPECT_TRUE(all.takes(packet(i)));
}

TEST(Sampler, TakesOneFlowInSoManyWithAllItsPackets) {
  Counters counters;
  Sampler some({10, 1}, counters);
  std::uint64_t flows = 0;
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    const bool taken = some.takes(packet(i));
    flows += taken;
    for (const bool back : {false, true})
      for (Nanos t = 1; t < 4; ++t) EXPECT_EQ(some.takes(packet(i, t * kSecond, back)), taken);
  }
  EXPECT_NEAR(static_cast<double>(flows), 2000, 150);  // 3.5 standard deviations
  EXPECT_EQ(counters[Counter::sampled_out_by_flow], 7 * (20'000 - flows));
}

TEST(Sampler, ASmallerSampleIsAPartOfALargerOne) {
  Counters counters;
  Sampler large({8, 1}, counters), small({16, 1}, counters);
  std::uint64_t both = 0;
  for (std::uint32_t i = 0; i < 20'000; ++i)
    if (small.takes(packet(i))) {
      ++both;
      EXPECT_TRUE(large.takes(packet(i)));
    }
  EXPECT_GT(both, 1000u);
}

// Workers are chosen by the upper half of the hash, buckets by its low bits, tags by its highest.
TEST(Sampler, SpreadsWhatItTakesOverWorkersAndBuckets) {
  Counters counters;
  Sampler some({4, 1}, counters);
  std::array<int, 4> workers{};
  std::array<int, 16> buckets{}, tags{};
  int taken = 0;
  for (std::uint32_t i = 0; i < 64'000; ++i) {
    const Packet p = packet(i);
    if (!some.takes(p)) continue;
    ++taken;
    ++workers[(p.hash >> 32) % 4];
    ++buckets[p.hash & 15];
    ++tags[p.hash >> 60];
  }
  for (const int n : workers) EXPECT_NEAR(n, taken / 4, 300);
  for (const int n : buckets) EXPECT_NEAR(n, taken / 16, 160);
  for (const int n : tags) EXPECT_NEAR(n, taken / 16, 160);
}

TEST(Sampler, TakesOnePacketInSoManyOfAnyFlow) {
  Counters counters;
  Sampler some({1, 10}, counters), again({1, 10}, counters);
  std::uint64_t packets = 0;
  for (Nanos t = 0; t < 20'000; ++t) {
    const bool taken = some.takes(packet(7, t));
    packets += taken;
    EXPECT_EQ(again.takes(packet(7, t)), taken);
  }
  EXPECT_NEAR(static_cast<double>(packets), 2000, 150);
  EXPECT_EQ(counters[Counter::sampled_out_by_packet], 2 * (20'000 - packets));
}

// A poll that stamps all of its packets alike must not take all of them or none.
TEST(Sampler, TellsPacketsOfOneTimeApart) {
  Counters counters;
  Sampler some({1, 2}, counters);
  int packets = 0;
  for (std::uint16_t i = 0; i < 1000; ++i) {
    Packet p = packet(7, kSecond);
    p.ip_id = i;
    packets += some.takes(p);
  }
  EXPECT_NEAR(packets, 500, 60);
}

}  // namespace
}  // namespace probe
