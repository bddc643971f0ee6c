#include "dissectors/kit/rtp_sequence.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <utility>
#include <vector>

namespace probe::rtp {
namespace {

using Place = Sequence::Place;

Sequence after(std::initializer_list<std::uint16_t> numbers) {
  Sequence s;
  for (const std::uint16_t n : numbers) s.on_packet(n);
  return s;
}

TEST(Sequence, ExpectsWhatTheNumbersSay) {
  const Sequence s = after({10, 11, 12});
  EXPECT_EQ(s.counts().expected, 3u);
  EXPECT_EQ(s.counts().lost(), 0u);
  EXPECT_EQ(s.first(), 10);
  EXPECT_EQ(s.highest(), 12);
}

TEST(Sequence, CountsLossesAcrossTheWrap) {
  Sequence s = after({65533, 65534, 1, 2, 5});
  s.finish();
  EXPECT_EQ(s.counts().expected, 9u);
  EXPECT_EQ(s.counts().lost(), 4u);
  EXPECT_EQ(s.counts().bursts, 2u);
  EXPECT_EQ(s.counts().burst_max, 2u);
  EXPECT_EQ(s.counts().burst_lost, 4u);
}

TEST(Sequence, TellsDuplicatesFromLatePackets) {
  Sequence s;
  EXPECT_EQ(s.on_packet(1), Place::next);
  EXPECT_EQ(s.on_packet(4), Place::next);
  EXPECT_EQ(s.on_packet(2), Place::late);
  EXPECT_EQ(s.on_packet(2), Place::duplicate);
  EXPECT_EQ(s.on_packet(4), Place::duplicate);
  EXPECT_EQ(s.counts().lost(), 1u);
  EXPECT_EQ(s.counts().duplicates, 2u);
  EXPECT_EQ(s.counts().reordered, 1u);
  EXPECT_EQ(s.counts().reorder_max, 2u);
  EXPECT_EQ(s.cumulative_lost(), -1) << "RFC 3550 A.3: duplicates count as received";
}

TEST(Sequence, HasNoBurstWhereAHoleIsFilledInTime) {
  Sequence s = after({1, 2, 5, 6, 4, 3});
  for (std::uint16_t n = 7; n < 400; ++n) s.on_packet(n);
  s.finish();
  EXPECT_EQ(s.counts().bursts, 0u);
  EXPECT_EQ(s.counts().lost(), 0u);
}

TEST(Sequence, CountsARunThatIsLongerThanItsMemory) {
  Sequence s = after({1, 2, 1002});
  s.finish();
  EXPECT_EQ(s.counts().lost(), 999u);
  EXPECT_EQ(s.counts().bursts, 1u);
  EXPECT_EQ(s.counts().burst_max, 999u);
}

TEST(Sequence, BelievesARestartAfterTwoPacketsInARow) {
  Sequence s = after({1, 2, 3});
  EXPECT_EQ(s.on_packet(30000), Place::stray);
  EXPECT_EQ(s.on_packet(4), Place::next) << "a lone one far off changes nothing";
  EXPECT_EQ(s.on_packet(30000), Place::stray);
  EXPECT_EQ(s.on_packet(30001), Place::restart);
  EXPECT_EQ(s.on_packet(30002), Place::next);
  EXPECT_EQ(s.counts().restarts, 1u);
  EXPECT_EQ(s.counts().strays, 1u);
  EXPECT_EQ(s.counts().expected, 4u + 3u);
  EXPECT_EQ(s.counts().lost(), 0u);
  EXPECT_EQ(s.cumulative_lost(), 0);
}

TEST(Sequence, BeginsWithAPacketThatTheFirstHasOvertaken) {
  Sequence s = after({5, 4});
  EXPECT_EQ(s.first(), 4);
  EXPECT_EQ(s.counts().expected, 2u);
  EXPECT_EQ(s.on_packet(4), Place::duplicate);
  EXPECT_EQ(after({500, 440}).counts().strays, 1u) << "what is far before the first packet is none of the stream";
}

TEST(Sequence, GoesOnFromIntervalToInterval) {
  Sequence s = after({1, 2, 4});
  s.start_interval();
  EXPECT_EQ(s.counts().expected, 0u);
  s.on_packet(5);
  s.on_packet(7);
  EXPECT_EQ(s.counts().expected, 3u);
  EXPECT_EQ(s.counts().lost(), 1u);
  EXPECT_EQ(s.first(), 5);
  EXPECT_EQ(s.cumulative_lost(), 2);
}

// Against the sets of numbers themselves.
TEST(Sequence, AgreesWithACountOfWhatCame) {
  std::uint32_t random = 12345;
  const auto next = [&random](std::uint32_t n) { return (random = random * 1664525 + 1013904223) >> 8 & (n - 1); };
  for (int round = 0; round < 200; ++round) {
    std::vector<std::uint16_t> sent;
    for (std::uint32_t i = 0; i < 1000; ++i)
      if (next(16) != 0 || i == 0) sent.push_back(static_cast<std::uint16_t>(65000 + i));
    std::size_t lost = static_cast<std::uint16_t>(sent.back() - sent.front()) + 1u - sent.size();
    for (std::size_t i = 1; i + 8 < sent.size(); ++i)
      if (next(8) == 0) std::swap(sent[i], sent[i + next(8)]);
    Sequence s;
    for (const std::uint16_t n : sent) s.on_packet(n);
    s.finish();
    ASSERT_EQ(s.counts().lost(), lost);
    ASSERT_EQ(s.counts().burst_lost, lost);
    ASSERT_EQ(s.counts().duplicates, 0u);
    ASSERT_EQ(s.counts().strays, 0u);
  }
}

}  // namespace
}  // namespace probe::rtp
