#include "probe/packet/defragmenter.h"

#include <gtest/gtest.h>

#include <string>

namespace probe {
namespace {

// One datagram's fragments, written as text: 8 letters are one unit.
class Reassembly : public testing::Test {
 protected:
  Counter add(std::uint32_t offset, const std::string& text, bool more, std::uint32_t id = 1) {
    return add_cut(offset, text, text.size(), more, id);
  }
  Counter add_cut(std::uint32_t offset, const std::string& text, std::size_t wire, bool more, std::uint32_t id = 1) {
    Fragment f;
    f.key.source = {0, 1};
    f.key.destination = {0, 2};
    f.key.id = id;
    f.key.protocol = version_ == 4 ? 17 : 0;
    f.key.ip_version = version_;
    f.data = {as_bytes(text), static_cast<std::uint32_t>(wire)};
    f.offset = offset;
    f.more = more;
    f.protocol = 17;
    f.ip_octets = static_cast<std::uint32_t>(20 + wire);
    f.time = now_;
    return defragmenter_->add(f, whole_);
  }
  std::string_view text() const { return as_text(whole_.data.octets); }
  void limit(const DefragmentLimits& l) { defragmenter_ = std::make_unique<Defragmenter>(l, counters_); }

  static constexpr Counter kWaiting = Counter::decode_fragments_waiting;
  std::uint8_t version_ = 4;
  Nanos now_ = 0;
  Counters counters_;
  Datagram whole_;
  std::unique_ptr<Defragmenter> defragmenter_ = std::make_unique<Defragmenter>(DefragmentLimits{}, counters_);
};

TEST_F(Reassembly, JoinsWhenTheLastHoleIsFilled) {
  EXPECT_EQ(add(16, "end", false), kWaiting);
  EXPECT_EQ(add(0, "aaaaaaaa", true), kWaiting);
  EXPECT_EQ(add(8, "bbbbbbbb", true), kFine);
  EXPECT_EQ(text(), "aaaaaaaabbbbbbbbend");
  EXPECT_EQ(whole_.data.wire, 19u);
  EXPECT_EQ(whole_.fragments, 3);
  EXPECT_EQ(whole_.ip_octets, 79u);
  EXPECT_EQ(whole_.protocol, 17);
}

TEST_F(Reassembly, KeepsDatagramsApart) {
  EXPECT_EQ(add(0, "aaaaaaaa", true, 1), kWaiting);
  EXPECT_EQ(add(8, "two", false, 2), kWaiting);
  EXPECT_EQ(add(8, "one", false, 1), kFine);
  EXPECT_EQ(text(), "aaaaaaaaone");
}

TEST_F(Reassembly, TheFirstCopyWinsAndTheOverlapIsCounted) {
  EXPECT_EQ(add(8, "BBBBBBBB", true), kWaiting);
  EXPECT_EQ(add(0, "aaaaaaaabbbbbbbbcccccccc", true), kWaiting);
  EXPECT_EQ(add(24, "end", false), kFine);
  EXPECT_EQ(text(), "aaaaaaaaBBBBBBBBccccccccend");
  EXPECT_EQ(counters_[Counter::decode_fragment_overlaps], 1u);
}

TEST_F(Reassembly, ARepeatedFragmentIsADuplicateAndCounts) {
  for (const std::uint8_t version : {4, 6}) {
    version_ = version;
    EXPECT_EQ(add(0, "aaaaaaaabbbbbbbb", true), kWaiting);
    EXPECT_EQ(add(0, "aaaaaaaabbbbbbbb", true), kWaiting);
    EXPECT_EQ(add(16, "end", false), kFine);
    EXPECT_EQ(text(), "aaaaaaaabbbbbbbbend");
    EXPECT_EQ(whole_.fragments, 3);
  }
  EXPECT_EQ(counters_[Counter::decode_fragment_duplicates], 2u);
  EXPECT_EQ(counters_[Counter::decode_fragment_overlaps], 0u);
}

TEST_F(Reassembly, OtherOctetsAtTheSamePlaceAreAnOverlap) {
  EXPECT_EQ(add(0, "aaaaaaaa", true), kWaiting);
  EXPECT_EQ(add(0, "aaaaaaax", true), kWaiting);
  EXPECT_EQ(add(8, "end", false), kFine);
  EXPECT_EQ(text(), "aaaaaaaaend");
  EXPECT_EQ(counters_[Counter::decode_fragment_overlaps], 1u);
}

TEST_F(Reassembly, Ipv6DatagramsWithOverlapsAreDroppedWhole) {
  version_ = 6;
  EXPECT_EQ(add(0, "aaaaaaaabbbbbbbb", true), kWaiting);
  EXPECT_EQ(add(8, "xxxxxxxxcccccccc", true), Counter::decode_fragments_refused);
  EXPECT_EQ(add(16, "cccccccc", true), Counter::decode_fragments_refused);
  EXPECT_EQ(add(24, "end", false), Counter::decode_fragments_refused);
  EXPECT_EQ(counters_[Counter::decode_fragment_overlaps], 1u);
  now_ = 61 * kSecond;
  EXPECT_EQ(add(0, "aaaaaaaa", true), kWaiting) << "the id may be used again after the timeout";
  EXPECT_EQ(counters_[Counter::decode_datagrams_timed_out], 0u) << "it was counted already";
}

TEST_F(Reassembly, RefusesWhatEndsBeyondTheLargestDatagram) {
  EXPECT_EQ(add(65528, "12345678", false), Counter::decode_fragments_beyond);
  EXPECT_EQ(add(65528, "1234567", false), kWaiting);
  EXPECT_EQ(add_cut(0, "", 70000, true), Counter::decode_fragments_beyond);
}

TEST_F(Reassembly, TheLargestDatagramFits) {
  EXPECT_EQ(add(0, std::string(32768, 'a'), true), kWaiting);
  EXPECT_EQ(add(32768, std::string(32767, 'b'), false), kFine);
  EXPECT_EQ(text(), std::string(32768, 'a') + std::string(32767, 'b'));
}

TEST_F(Reassembly, FragmentsThatContradictTheEndAreBad) {
  EXPECT_EQ(add(8, "end", false), kWaiting);
  EXPECT_EQ(add(8, "longer end", false), Counter::decode_fragments_bad);
  EXPECT_EQ(add(8, "bbbbbbbb", true), Counter::decode_fragments_bad);
  EXPECT_EQ(add(0, "aaaaaaaa", true), kFine);
  EXPECT_EQ(text(), "aaaaaaaaend");
  EXPECT_EQ(add(16, "cccccccc", true), kWaiting);
  EXPECT_EQ(add(8, "end", false), Counter::decode_fragments_bad) << "others were seen behind it";
}

TEST_F(Reassembly, EmptyAndOddFragmentsAreBad) {
  EXPECT_EQ(add(8, "", false), Counter::decode_fragments_bad);
  EXPECT_EQ(add(0, "1234567", true), Counter::decode_fragments_bad);
  EXPECT_EQ(add(4, "12345678", true), Counter::decode_fragments_bad);
}

TEST_F(Reassembly, TooManyFragmentsMakeNoDatagram) {
  for (std::uint32_t i = 0; i < 512; ++i) ASSERT_EQ(add(i * 8, "12345678", true), kWaiting);
  EXPECT_EQ(add(512 * 8, "12345678", true), Counter::decode_fragments_too_many);
  EXPECT_EQ(add(513 * 8, "12345678", false), Counter::decode_fragments_refused);
}

TEST_F(Reassembly, GivesUpAfterTheTimeout) {
  EXPECT_EQ(add(0, "aaaaaaaa", true), kWaiting);
  now_ = 60 * kSecond;
  EXPECT_EQ(add(0, "xxxxxxxx", true, 2), kWaiting);
  EXPECT_EQ(counters_[Counter::decode_datagrams_timed_out], 0u);
  now_ += 1;
  EXPECT_EQ(add(8, "end", false), kWaiting) << "its first half is gone";
  EXPECT_EQ(counters_[Counter::decode_datagrams_timed_out], 1u);
}

TEST_F(Reassembly, TimeThatGoesBackEndsNothing) {
  now_ = 100 * kSecond;
  EXPECT_EQ(add(0, "aaaaaaaa", true), kWaiting);
  now_ = 0;
  EXPECT_EQ(add(8, "end", false), kFine);
}

TEST_F(Reassembly, TheOldestMakesRoomForTheNew) {
  limit({.datagrams = 4});
  for (std::uint32_t id = 0; id < 5; ++id) EXPECT_EQ(add(0, "aaaaaaaa", true, id), kWaiting);
  EXPECT_EQ(counters_[Counter::decode_datagrams_evicted], 1u);
  EXPECT_EQ(add(8, "end", false, 4), kFine);
  EXPECT_EQ(add(8, "end", false, 1), kFine);
  EXPECT_EQ(add(8, "end", false, 0), kWaiting);
}

TEST_F(Reassembly, TheOldestMakesRoomForOctets) {
  limit({.octets = 65535 + 4 * 2048});
  for (std::uint32_t id = 0; id < 5; ++id) EXPECT_EQ(add(0, std::string(2048, 'a'), true, id), kWaiting);
  EXPECT_EQ(counters_[Counter::decode_datagrams_evicted], 1u);
  EXPECT_EQ(add(2048, "end", false, 1), kFine);
  EXPECT_EQ(add(0, std::string(8200, 'a'), true, 9), Counter::decode_fragments_no_memory);
}

TEST_F(Reassembly, WithoutMemoryNothingIsKept) {
  limit({.datagrams = 0, .octets = 0});
  EXPECT_EQ(add(0, "aaaaaaaa", true), Counter::decode_fragments_no_memory);
  limit({.datagrams = 1, .octets = 0});
  EXPECT_EQ(add(0, "aaaaaaaa", true), Counter::decode_fragments_no_memory);
  EXPECT_EQ(add(0, "aaaaaaaa", true), Counter::decode_fragments_no_memory);
}

TEST_F(Reassembly, ABurstOfDatagramsIsBoundedAndTheNextHasRoomAgain) {
  limit({.octets = 4 * 65535});
  const std::string half(32000, 'x');
  EXPECT_EQ(add(0, half, true), kWaiting);
  EXPECT_EQ(add(32000, half.substr(8), false), kFine);
  EXPECT_EQ(add(0, half, true), kWaiting);
  EXPECT_EQ(add(32000, half.substr(8), false), Counter::decode_fragments_no_memory);
  defragmenter_->new_burst();
  EXPECT_EQ(add(0, half, true), kWaiting);
  EXPECT_EQ(add(32000, half.substr(8), false), kFine);
}

TEST_F(Reassembly, WhatTheSnapLengthTookEndsTheOctets) {
  EXPECT_EQ(add_cut(0, "aaaa", 16, true), kWaiting);
  EXPECT_EQ(add(16, "end", false), kFine);
  EXPECT_EQ(text(), "aaaa");
  EXPECT_EQ(whole_.data.wire, 19u);
  EXPECT_EQ(add_cut(0, "", 16, true), kWaiting);
  EXPECT_EQ(add_cut(0, "bbbb", 16, true), kWaiting);
  EXPECT_EQ(add(16, "end", false), kFine);
  EXPECT_EQ(text(), "");
}

TEST_F(Reassembly, MemoryComesBack) {
  limit({.datagrams = 2, .octets = 65535 * 4});
  for (std::uint32_t round = 0; round < 1000; ++round) {
    defragmenter_->new_burst();
    ASSERT_EQ(add(0, std::string(4000, 'a'), true, round), kWaiting);
    ASSERT_EQ(add(4000, "end", false, round), kFine);
  }
  EXPECT_EQ(counters_[Counter::decode_datagrams_evicted], 0u);
}

}  // namespace
}  // namespace probe
