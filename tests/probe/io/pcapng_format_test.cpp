#include "probe/io/pcapng_format.h"

#include <gtest/gtest.h>

#include "tests/probe/io/reading.h"

namespace probe::test {
namespace {

constexpr std::uint64_t kMicros = 1'700'000'000'123'456;
const Octets kFirst = some_octets(61, 1), kSecond_ = some_octets(62, 2), kThird = some_octets(63, 3);

TEST(PcapngFormat, ReadsPacketBlocksOfAllThreeKindsInBothByteOrders) {
  for (const bool big_endian : {false, true}) {
    const Reading got = read_all(PcapngWriter(big_endian)
                                     .interface()
                                     .enhanced(0, kMicros, kFirst, 1500)
                                     .simple(kSecond_)
                                     .obsolete(0, kMicros + 1, kThird, 77)
                                     .octets());
    const Nanos time = static_cast<Nanos>(kMicros) * kMicrosecond;
    const std::vector<ReadFrame> expected = {{kFirst, 1500, LinkType::ethernet, 0, time},
                                             {kSecond_, 62, LinkType::ethernet, 0, time},
                                             {kThird, 77, LinkType::ethernet, 0, time + kMicrosecond}};
    EXPECT_EQ(got.frames, expected) << big_endian;
    EXPECT_EQ(got.error.message, "");
    EXPECT_EQ(got.counters[Counter::capture_blocks_skipped], 0u);
  }
}

TEST(PcapngFormat, EachInterfaceHasItsOwnUnitOffsetAndLink) {
  const Reading got = read_all(PcapngWriter()
                                   .interface({.link = 1})
                                   .interface({.link = 101, .resolution = 9})
                                   .interface({.link = 276, .resolution = 0x80 | 10, .offset = 1'000'000'000})
                                   .enhanced(2, 5 * 1024 + 512, kFirst)
                                   .enhanced(1, 7, kFirst)
                                   .enhanced(0, 7, kFirst)
                                   .octets());
  const std::vector<ReadFrame> expected = {
      {kFirst, 61, LinkType::linux_cooked_v2, 2, 1'000'000'005 * kSecond + kSecond / 2},
      {kFirst, 61, LinkType::raw_ip, 1, 7},
      {kFirst, 61, LinkType::ethernet, 0, 7 * kMicrosecond}};
  EXPECT_EQ(got.frames, expected);
}

TEST(PcapngFormat, ASecondSectionMayTurnTheByteOrderAndItsInterfacesGoOnCounting) {
  const Reading got = read_all(PcapngWriter(false)
                                   .interface()
                                   .interface()
                                   .enhanced(1, kMicros, kFirst)
                                   .section(true)
                                   .interface({.link = 113})
                                   .enhanced(0, kMicros, kSecond_)
                                   .octets());
  ASSERT_EQ(got.frames.size(), 2u);
  EXPECT_EQ(got.frames[0].port, 1u);
  EXPECT_EQ(got.frames[1].port, 2u);
  EXPECT_EQ(got.frames[1].link, LinkType::linux_cooked_v1);
  EXPECT_EQ(got.frames[1].octets, kSecond_);
}

TEST(PcapngFormat, AnInterfaceOfThePreviousSectionIsUnknownInTheNext) {
  const Reading got = read_all(PcapngWriter().interface().section(false).enhanced(0, kMicros, kFirst).octets());
  EXPECT_TRUE(got.frames.empty());
  EXPECT_NE(got.error.message.find("of interface 0, but its section has described 0"), std::string::npos)
      << got.error.message;
}

TEST(PcapngFormat, ASimplePacketIsCutAtTheSnapLengthOfTheFirstInterface) {
  const Octets octets = some_octets(100, 4);
  const Reading got =
      read_all(PcapngWriter().interface({.snap_length = 98}).simple(Bytes(octets).first(98), 100).octets());
  ASSERT_EQ(got.frames.size(), 1u);
  EXPECT_EQ(got.frames[0].octets, Octets(octets.begin(), octets.begin() + 98));
  EXPECT_EQ(got.frames[0].wire_length, 100u);
}

TEST(PcapngFormat, PassesOverOtherBlocksAndCountsThem) {
  const Octets larger_than_the_window = some_octets(5'000'000, 5);
  const Octets file = PcapngWriter()
                          .block(0x0000000a, larger_than_the_window)  // decryption secrets
                          .interface()
                          .enhanced(0, kMicros, kFirst)
                          .block(5, kFirst)  // interface statistics
                          .block(0x80000bad, {})
                          .enhanced(0, kMicros, kSecond_)
                          .octets();
  const Reading got = read_all(file);
  EXPECT_EQ(got.frames.size(), 2u);
  EXPECT_EQ(got.error.message, "");
  EXPECT_EQ(got.counters[Counter::capture_blocks_skipped], 3u);
}

TEST(PcapngFormat, AFileCutAnywhereGivesTheWholeBlocksBeforeTheCut) {
  PcapngWriter writer;
  std::vector<std::size_t> borders = {writer.octets().size()};
  borders.push_back(writer.interface().octets().size());
  borders.push_back(writer.enhanced(0, kMicros, kFirst).octets().size());
  const std::size_t with_first = borders.back();
  borders.push_back(writer.block(5, kSecond_).octets().size());
  borders.push_back(writer.simple(kThird).octets().size());
  const Octets& file = writer.octets();
  for (std::size_t cut = 24; cut < file.size(); ++cut) {
    const Reading got = read_all(Bytes(file).first(cut));
    const bool at_border = std::find(borders.begin(), borders.end(), cut) != borders.end();
    EXPECT_EQ(got.error.message.empty(), at_border) << cut << got.error.message;
    EXPECT_EQ(got.frames.size(), cut >= with_first ? 1u : 0u) << cut;
    EXPECT_LE(got.error.offset, cut);
  }
}

struct Broken {
  const char* what;
  Octets file;
  const char* message;
};

TEST(PcapngFormat, TellsWhatIsWrongWithABrokenBlockAndKeepsThePacketsBefore) {
  const auto good = [] { return PcapngWriter().interface().enhanced(0, kMicros, kFirst); };
  OctetWriter lying;  // an enhanced packet of 1000 octets in a block with room for 4
  for (const std::uint32_t v : {0u, 0u, 0u, 1000u, 1000u, 0u}) lying.u32(v);
  OctetWriter bad_option;
  for (const std::uint32_t v : {1u, 0u, 0x00ff0009u}) bad_option.u32(v);
  OctetWriter long_resolution;
  for (const std::uint32_t v : {1u, 0u, 0x00020009u, 0u}) long_resolution.u32(v);
  OctetWriter no_magic;
  for (int i = 0; i < 4; ++i) no_magic.u32(1);
  OctetWriter huge_simple;
  huge_simple.u32(100);
  huge_simple.u32(0);
  const Broken cases[] = {
      {"lengths differ", good().block(6, kFirst, 76, 80).octets(), "length 76 in front and 80 behind"},
      {"lengths of a skipped block differ", good().block(5, kFirst, 76, 80).octets(),
       "length 76 in front and 80 behind"},
      {"too short", good().block(5, {}, 8, 8).octets(), "8 octets, too few for any"},
      {"too long", good().block(6, {}, 0x7fffffff, 0).octets(), "2147483647 octets, more than the"},
      {"frame longer than its block", good().block(6, lying.octets()).octets(), "1000 octets, and has room for 4"},
      {"simple frame longer than its block", good().block(3, huge_simple.octets()).octets(), "has room for 4"},
      {"unknown interface", good().enhanced(1, 0, kFirst).octets(), "interface 1, but its section has described 1"},
      {"packet too short", good().block(6, Octets(16)).octets(), "a packet block is too short"},
      {"simple packet too short", good().block(3, {}).octets(), "a packet block is too short"},
      {"interface too short", good().block(1, Octets(4)).octets(), "interface description is too short"},
      {"option beyond its block", good().block(1, bad_option.octets()).octets(), "broken option"},
      {"resolution of two octets", good().block(1, long_resolution.octets()).octets(), "broken option"},
      {"section too short", good().block(0x0a0d0d0a, OctetWriter().octets()).octets(), "no byte-order magic"},
      {"section without magic", good().block(0x0a0d0d0a, no_magic.octets()).octets(), "no byte-order magic"},
      {"section of version 2", good().section(false, 2).octets(), "version 2.0"},
  };
  for (const Broken& b : cases) {
    const Reading got = read_all(b.file);
    ASSERT_EQ(got.frames.size(), 1u) << b.what;
    EXPECT_EQ(got.frames[0].octets, kFirst) << b.what;
    EXPECT_NE(got.error.message.find(b.message), std::string::npos) << b.what << ": " << got.error.message;
    EXPECT_NE(got.error.message.find("Packets read before: 1"), std::string::npos) << b.what;
    EXPECT_EQ(got.counters[Counter::capture_damaged], 1u) << b.what;
  }
}

TEST(PcapngFormat, AcceptsBlocksWhoseLengthLeavesThePaddingOut) {
  OctetWriter simple;
  simple.u32(61);
  simple.append(kFirst);
  const Octets file = PcapngWriter().interface().block(3, simple.octets(), 77, 77).simple(kSecond_).octets();
  const Reading got = read_all(file);
  EXPECT_EQ(got.error.message, "");
  ASSERT_EQ(got.frames.size(), 2u);
  EXPECT_EQ(got.frames[0].octets, kFirst);
}

TEST(PcapngFormat, RefusesMoreInterfacesThanItHasRoomFor) {
  PcapngWriter writer;
  for (std::size_t i = 0; i <= io::PcapngFormat::kMostInterfaces; ++i) writer.interface();
  const Reading got = read_all(writer.octets());
  EXPECT_NE(got.error.message.find("more interfaces"), std::string::npos) << got.error.message;
}

}  // namespace
}  // namespace probe::test
