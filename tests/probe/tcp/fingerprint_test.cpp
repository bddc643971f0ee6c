#include "probe/tcp/fingerprint.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace probe::tcp {
namespace {

std::string text_of(const SynSeen& s, bool ipv6 = false) {
  std::array<char, kLongestFingerprint> room;
  return std::string(fingerprint(s, ipv6, room));
}

SynSeen linux_syn() {
  SynSeen s;
  s.option_order = 0x35724;  // mss, sok, ts, nop, ws
  s.window = 64240;
  s.maximum_segment = 1460;
  s.ttl = 52;
  s.window_scale = 7;
  s.has_window_scale = true;
  s.flags = tcp_flag::kSyn;
  return s;
}

TEST(Fingerprint, TellsASynInTheStyleOfP0f) {
  EXPECT_EQ(text_of(linux_syn()), "4:64+12:1460:64240,7:mss,sok,ts,nop,ws::0");
}

TEST(Fingerprint, TellsWhatIsOdd) {
  SynSeen s = linux_syn();
  s.flags |= tcp_flag::kEce | tcp_flag::kCwr;
  s.own_timestamp_zero = s.echo_set = s.has_data = true;
  EXPECT_EQ(text_of(s, true), "6:64+12:1460:64240,7:mss,sok,ts,nop,ws:ecn,ts1-,ts2+:+");
}

TEST(Fingerprint, AnAnswerEchoesATimestamp) {
  SynSeen s = linux_syn();
  s.flags |= tcp_flag::kAck;
  s.echo_set = true;
  EXPECT_EQ(text_of(s), "4:64+12:1460:64240,7:mss,sok,ts,nop,ws::0");
}

TEST(Fingerprint, TellsWhatIsMissing) {
  SynSeen s;
  s.ttl = 255;
  EXPECT_EQ(text_of(s), "4:255+0:*:0,*:::0");
  s.ttl = 129;
  EXPECT_EQ(text_of(s), "4:255+126:*:0,*:::0");
  s.ttl = 128;
  EXPECT_EQ(text_of(s), "4:128+0:*:0,*:::0");
}

TEST(Fingerprint, TheLongestFits) {
  SynSeen s = linux_syn();
  s.option_order = 0x6666'6666'6666'6666;
  s.ttl = 129;
  s.window = s.maximum_segment = 65535;
  s.window_scale = 255;
  s.flags |= tcp_flag::kEce;
  s.own_timestamp_zero = s.echo_set = s.has_data = true;
  std::string order = "sack";
  for (int i = 1; i < 16; ++i) order += ",sack";
  EXPECT_EQ(text_of(s), "4:255+126:65535:65535,255:" + order + ":ecn,ts1-,ts2+:+");
}

TEST(Fingerprint, UnknownOptionsAreMarked) {
  SynSeen s = linux_syn();
  s.option_order = 0xb8f1;
  EXPECT_EQ(text_of(s), "4:64+12:1460:64240,7:?,tfo,?,eol::0");
}

}  // namespace
}  // namespace probe::tcp
