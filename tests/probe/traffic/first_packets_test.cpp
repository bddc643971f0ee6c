#include "probe/traffic/first_packets.h"

#include <gtest/gtest.h>

#include <string>

namespace probe::traffic {
namespace {

Packet packet(bool from_high, std::uint32_t octets, Nanos time) {
  Packet p;
  p.from_high = from_high;
  p.payload_length = octets;
  p.time = time;
  return p;
}

std::string text(const FirstPackets& f, unsigned initiator = 0) {
  std::array<char, FirstPackets::kTextOctets> out;
  return std::string(f.write(initiator, out));
}

TEST(FirstPackets, AreWrittenWithDirectionAndTime) {
  FirstPackets f;
  f.add(packet(false, 517, kSecond));
  f.add(packet(true, 1460, kSecond + 20'133 * kMicrosecond));
  f.add(packet(true, 90, kSecond + 20'134 * kMicrosecond));
  EXPECT_EQ(text(f), "517/0,-1460/20133,-90/1");
  EXPECT_EQ(f.directions(0), 0b110);
  EXPECT_EQ(text(f, 1), "-517/0,1460/20133,90/1") << "who the initiator is may be learnt later";
  EXPECT_EQ(f.directions(1), 0b001);
}

TEST(FirstPackets, AreNotMoreThanAreKept) {
  FirstPackets f;
  unsigned added = 0;
  for (; f.wants_more(); ++added) f.add(packet(true, 0xffffffff, added * 4'000'000 * kSecond));
  EXPECT_EQ(added, FirstPackets::kMost);
  EXPECT_EQ(f.directions(0), 0xff);
  EXPECT_EQ(text(f).substr(0, 26), "-65535/0,-65535/4294967295");
  EXPECT_LT(text(f).size(), FirstPackets::kTextOctets);
}

TEST(FirstPackets, TimeThatRunsBackwardsIsNoGap) {
  FirstPackets f;
  f.add(packet(false, 1, kSecond));
  f.add(packet(false, 2, kSecond - kMillisecond));
  EXPECT_EQ(text(f), "1/0,2/0");
}

TEST(FirstPackets, AreToldOnce) {
  FirstPackets f;
  f.add(packet(false, 1, kSecond));
  f.close();
  EXPECT_EQ(f.count(), 0u);
  EXPECT_FALSE(f.wants_more());
}

}  // namespace
}  // namespace probe::traffic
