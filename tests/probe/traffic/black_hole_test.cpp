#include "probe/traffic/black_hole.h"

#include <gtest/gtest.h>

namespace probe::traffic {
namespace {

Packet segment(std::uint32_t sequence, std::uint32_t octets, Nanos time, bool dont_fragment = true) {
  Packet p;
  p.key.ip_version = 4;
  p.tcp.sequence = sequence;
  p.ip_octets = octets;
  p.time = time;
  p.dont_fragment = dont_fragment;
  return p;
}
BlackHole repeated(unsigned times, std::uint32_t octets = 1500, bool dont_fragment = true) {
  BlackHole b;
  for (unsigned i = 1; i <= times; ++i) b.on_repeated(segment(1000, octets, i * kSecond, dont_fragment));
  return b;
}

TEST(BlackHole, IsSuspectedWhileTheReceiverIsThereAndDoesNotAcknowledge) {
  BlackHole b = repeated(3);
  b.judge(true, 1000, kSecond / 2);
  EXPECT_EQ(b.octets(), 0u) << "it has not been heard since";
  b.judge(true, 1000, 2 * kSecond);
  EXPECT_EQ(b.octets(), 1500u);
}

TEST(BlackHole, IsSuspectedIfSmallerSegmentsBringTheOctets) {
  BlackHole b = repeated(4);
  b.on_repeated(segment(1000, 576, 20 * kSecond));
  b.judge(true, 1536, 21 * kSecond);
  EXPECT_EQ(b.octets(), 1500u);
}

TEST(BlackHole, IsNotSuspectedIfTheLargeOneArrivesAtLast) {
  BlackHole b = repeated(5);
  b.judge(true, 2460, 21 * kSecond);
  EXPECT_EQ(b.octets(), 0u) << "that was loss";
}

TEST(BlackHole, NeedsSeveralRepetitionsOfALargeSegmentThatMustNotBeFragmented) {
  BlackHole few = repeated(2), small = repeated(9, 600), may = repeated(9, 1500, false);
  for (BlackHole* b : {&few, &small, &may}) {
    b->judge(true, 1000, 100 * kSecond);
    EXPECT_EQ(b->octets(), 0u);
  }
}

TEST(BlackHole, AnotherSegmentCountsAnew) {
  BlackHole b = repeated(2);
  b.on_repeated(segment(2460, 1500, 3 * kSecond));
  b.on_repeated(segment(1000, 1500, 4 * kSecond));
  b.judge(true, 1000, 5 * kSecond);
  EXPECT_EQ(b.octets(), 0u);
}

TEST(BlackHole, WithoutAcknowledgementsNothingIsKnown) {
  BlackHole b = repeated(9);
  b.judge(false, 0, 100 * kSecond);
  EXPECT_EQ(b.octets(), 0u);
}

}  // namespace
}  // namespace probe::traffic
