// Captures as a mirror port would show them that sees each packet more than once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "tests/probe/run/live_kit.h"

namespace probe::test {
namespace {

std::vector<std::string> all_captures() {
  std::vector<std::string> out;
  for (const auto& file : std::filesystem::directory_iterator(PCAPS))
    if (file.path().extension() == ".pcap") out.push_back(file.path().stem().string());
  std::ranges::sort(out);
  return out;
}

using Octets = std::vector<std::uint8_t>;

std::size_t ip_at(const Octets& o) {
  std::size_t at = 12;
  while (at + 4 <= o.size() && o[at] == 0x81 && o[at + 1] == 0) at += 4;
  const bool ip =
      at + 2 + 20 <= o.size() && ((o[at] == 0x08 && o[at + 1] == 0) || (o[at] == 0x86 && o[at + 1] == 0xdd));
  return ip ? at + 2 : 0;
}

// As a router forwards it: other MAC addresses, a hop less. The header's checksum is not looked at.
kit::BuiltFrame routed(kit::BuiltFrame f) {
  for (std::size_t i = 0; i < 12; ++i) f.octets[i] ^= 0x10;
  if (const std::size_t ip = ip_at(f.octets)) f.octets[ip + (f.octets[ip] >> 4 == 4 ? 8 : 7)] -= 1;
  return f;
}

kit::BuiltFrame tagged(kit::BuiltFrame f) {
  const std::uint8_t tag[] = {0x81, 0, 0, 42};
  f.octets.insert(f.octets.begin() + 12, std::begin(tag), std::end(tag));
  f.wire_length += 4;
  return f;
}

kit::BuiltFrame same(kit::BuiltFrame f) { return f; }

kit::BuiltFrame from_port_1(kit::BuiltFrame f) {
  f.port = 1;
  return f;
}

using Copying = kit::BuiltFrame (*)(kit::BuiltFrame);

// With a copy of each frame between 1 and `most` later.
Frames mirrored(const Frames& frames, Copying copy, Nanos most) {
  std::minstd_rand random(1);
  Frames out;
  for (const kit::BuiltFrame& f : frames) {
    out.push_back(f);
    out.push_back(copy(f));
    out.back().time += 1 + static_cast<Nanos>(random() % static_cast<std::uint64_t>(most));
  }
  std::ranges::stable_sort(out, {}, &kit::BuiltFrame::time);
  return out;
}

run::Options looking(std::size_t workers = 1) {
  run::Options o = small_options();
  o.capture_duplicate_window = kMillisecond;
  o.capture_workers = workers;
  return o;
}

TEST(Mirrored, CapturesSeenAtTwoPlacesGiveTheRecordsOfOne) {
  std::size_t records = 0;
  for (const std::string& name : all_captures()) {
    const Frames frames = captured({name});
    const auto expected = replayed(frames, looking());
    records += expected.size();
    const auto unfiltered = replayed(mirrored(frames, routed, 50 * kMicrosecond));
    EXPECT_NE(unfiltered, expected) << name << ": copies would be counted";
    for (const Copying copy : {routed, tagged, from_port_1})
      for (const Nanos most : {2 * kMicrosecond, 900 * kMicrosecond})
        EXPECT_EQ(replayed(mirrored(frames, copy, most), looking()), expected) << name << ", " << most << " ns";
  }
  EXPECT_GT(records, 400u);
}

TEST(Mirrored, ThreeCopiesAreAsOne) {
  const Frames frames = captured(all_captures());
  const Frames three = mirrored(mirrored(frames, tagged, 40 * kMicrosecond), routed, 50 * kMicrosecond);
  EXPECT_EQ(replayed(three, looking()), replayed(frames, looking()));
}

TEST(Mirrored, SeveralWorkersFindTheSame) {
  const Frames frames = captured(all_captures());
  const bool same_records =
      replayed(mirrored(frames, routed, 50 * kMicrosecond), looking(3)) == replayed(frames, looking());
  EXPECT_TRUE(same_records);
}

// The window takes nothing away from a capture without copies; two have some, made by the network.
TEST(Mirrored, WhatIsSeenOnceCounts) {
  std::vector<std::string> changed;
  for (const std::string& name : all_captures()) {
    const Frames frames = captured({name});
    if (replayed(frames, looking()) != replayed(frames)) changed.push_back(name);
  }
  EXPECT_THAT(changed, testing::ElementsAre("http_duplicate", "rtp_loss"));
}

// Twice at one place: what has an IP identification is known again, of the others only the SYN.
TEST(Mirrored, CapturesSeenTwiceAtOnePlaceGiveTheRecordsOfWhatIsIdentified) {
  std::size_t all = 0;
  for (const std::string& name : all_captures()) {
    const Frames frames = captured({name});
    Frames expected;
    for (const kit::BuiltFrame& f : mirrored(frames, same, 2 * kMicrosecond)) {
      const std::size_t ip = ip_at(f.octets);
      const bool v4 = ip != 0 && f.octets[ip] >> 4 == 4;
      const bool identified = v4 && (f.octets[ip + 4] != 0 || f.octets[ip + 5] != 0);
      const std::size_t tcp = ip + (v4 ? 20 : 40);
      const bool is_tcp = ip != 0 && f.octets[v4 ? ip + 9 : ip + 6] == ip_protocol::kTcp;
      const bool syn = is_tcp && (f.octets[tcp + 13] & 0x17) == tcp_flag::kSyn;
      const bool copy = std::ranges::any_of(
          expected, [&](const kit::BuiltFrame& e) { return e.octets == f.octets && f.time - e.time < kMillisecond; });
      if (copy && (identified || syn)) continue;
      expected.push_back(f);
      ++all;
    }
    EXPECT_EQ(replayed(mirrored(frames, same, 2 * kMicrosecond), looking()), replayed(expected)) << name;
  }
  EXPECT_GT(all, 3000u);
}

}  // namespace
}  // namespace probe::test
