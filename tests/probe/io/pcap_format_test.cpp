#include "probe/io/pcap_format.h"

#include <gtest/gtest.h>

#include "tests/probe/io/reading.h"

namespace probe::test {
namespace {

constexpr Nanos kTime = 1'700'000'000 * kSecond + 123'456'789;

TEST(PcapFormat, ReadsBothByteOrdersInMicrosecondsAndNanoseconds) {
  for (const bool big_endian : {false, true}) {
    for (const bool nanoseconds : {false, true}) {
      const Octets first = some_octets(60, 1), second = some_octets(61, 2);
      const Reading got = read_all(PcapWriter({.big_endian = big_endian, .nanoseconds = nanoseconds})
                                       .add(kTime, first)
                                       .add(kTime + kSecond, second, 1500)
                                       .octets());
      const Nanos first_time = nanoseconds ? kTime : kTime / kMicrosecond * kMicrosecond;
      const std::vector<ReadFrame> expected = {{first, 60, LinkType::ethernet, 0, first_time},
                                               {second, 1500, LinkType::ethernet, 0, first_time + kSecond}};
      EXPECT_EQ(got.frames, expected) << big_endian << nanoseconds;
      EXPECT_EQ(got.error.message, "");
    }
  }
}

TEST(PcapFormat, ReadsTheModifiedFormatWithItsLongerRecordHeader) {
  for (const bool big_endian : {false, true}) {
    const Octets octets = some_octets(99, 1);
    const Reading got = read_all(
        PcapWriter({.big_endian = big_endian, .modified = true}).add(kTime, octets).add(kTime, octets).octets());
    ASSERT_EQ(got.frames.size(), 2u);
    EXPECT_EQ(got.frames[1].octets, octets);
    EXPECT_EQ(got.frames[1].time, kTime / kMicrosecond * kMicrosecond);
    EXPECT_EQ(got.error.message, "");
  }
}

TEST(PcapFormat, CountsSecondsWithoutSignSoThatTimesAfter2038AreRight) {
  const Nanos last = Nanos{0xffffffff} * kSecond + 999'999'999;
  EXPECT_EQ(read_all(PcapWriter().add(last, some_octets(60, 1)).octets()).frames.at(0).time, last);
}

TEST(PcapFormat, IgnoresTheFrameCheckSequenceBitsOfTheLinkType) {
  const Octets file = PcapWriter({.link = 0x14000000 | 101}).add(kTime, some_octets(40, 1)).octets();
  EXPECT_EQ(read_all(file).frames.at(0).link, LinkType::raw_ip);
}

TEST(PcapFormat, AnEmptyCaptureIsNoError) {
  const Reading got = read_all(PcapWriter().octets());
  EXPECT_TRUE(got.frames.empty());
  EXPECT_EQ(got.error.message, "");
  EXPECT_EQ(got.counters[Counter::capture_damaged], 0u);
}

TEST(PcapFormat, AFileCutAnywhereGivesTheWholeRecordsBeforeTheCutAndTheOffset) {
  const Octets file = PcapWriter().add(kTime, some_octets(60, 1)).add(kTime, some_octets(70, 2)).octets();
  const std::size_t second = 24 + 16 + 60;
  for (std::size_t cut = 24; cut < file.size(); ++cut) {
    const Reading got = read_all(Bytes(file).first(cut));
    EXPECT_EQ(got.frames.size(), cut >= second ? 1u : 0u) << cut;
    const bool at_border = cut == 24 || cut == second;
    EXPECT_EQ(got.error.message.empty(), at_border) << cut;
    EXPECT_EQ(got.counters[Counter::capture_damaged], at_border ? 0u : 1u) << cut;
    EXPECT_EQ(got.error.offset, at_border ? 0u : cut > second ? second : 24) << cut;
  }
}

TEST(PcapFormat, TheMessageOfADamagedFileSaysWhereAndWhatAndHowMuchWasRead) {
  const Octets file = PcapWriter().add(kTime, some_octets(60, 1)).header(kTime, 60, 60).octets();
  EXPECT_EQ(read_all(file).error.message,
            "test: damaged at offset 100: the file ends inside a packet record. Packets read before: 1");
}

TEST(PcapFormat, AnImpossibleLengthIsDamageAndIsNotBelieved) {
  const Octets file =
      PcapWriter().add(kTime, some_octets(60, 1)).header(kTime, 0xfffffff0, 0xfffffff0).add(kTime, {}).octets();
  const Reading got = read_all(file);
  EXPECT_EQ(got.frames.size(), 1u);
  EXPECT_EQ(got.error.offset, 100u);
  EXPECT_NE(got.error.message.find("4294967280 octets, more than the 262144"), std::string::npos) << got.error.message;
}

TEST(PcapFormat, FramesOfSegmentationOffloadPassWhateverTheSnapLengthSays) {
  const Octets large = some_octets(200'000, 1);
  const Reading got = read_all(PcapWriter({.snap_length = 96}).add(kTime, large).octets());
  ASSERT_EQ(got.frames.size(), 1u);
  EXPECT_EQ(got.frames[0].octets, large);
}

TEST(PcapFormat, ALargeSnapLengthAllowsFramesUpToOneMebibyteAndNoMore) {
  for (const std::size_t size : {std::size_t{1} << 20, (std::size_t{1} << 20) + 1}) {
    const Reading got = read_all(PcapWriter({.snap_length = 0xffffffff}).add(kTime, some_octets(size, 1)).octets());
    EXPECT_EQ(got.frames.size(), size == (1u << 20) ? 1u : 0u);
  }
}

TEST(PcapFormat, AWireLengthBelowTheCapturedOneIsRaised) {
  EXPECT_EQ(read_all(PcapWriter().add(kTime, some_octets(60, 1), 42).octets()).frames.at(0).wire_length, 60u);
}

TEST(PcapFormat, FilesBeforeVersion24MayHaveTheTwoLengthsSwapped) {
  PcapWriter file({.minor_version = 3});
  const Octets octets = some_octets(68, 1);
  Octets swapped = file.header(kTime, 1500, 68).octets();
  swapped.insert(swapped.end(), octets.begin(), octets.end());
  const Reading got = read_all(swapped);
  ASSERT_EQ(got.frames.size(), 1u);
  EXPECT_EQ(got.frames[0].octets, octets);
  EXPECT_EQ(got.frames[0].wire_length, 1500u);
}

}  // namespace
}  // namespace probe::test
