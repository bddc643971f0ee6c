#include "probe/packet/ip.h"

#include <gtest/gtest.h>

#include "tests/probe/packet/decoding.h"

namespace probe {
namespace {

TEST(Ip, ReadsTheFieldsOfIpv4WithOptions) {
  Decoding d;
  auto p = kit::ethernet().ipv4("192.168.1.2", "10.0.0.1").ttl(7).traffic_class(0xb8).id(0x1234).dont_fragment();
  ASSERT_TRUE(d(p.ip_options(kit::Octets(8, 1)).udp(1, 2).payload("x")));
  EXPECT_EQ(d.packet.ttl, 7);
  EXPECT_EQ(d.packet.traffic_class, 0xb8);
  EXPECT_EQ(d.packet.ip_id, 0x1234);
  EXPECT_EQ(d.packet.ip_octets, 28u + 8 + 1);
  EXPECT_EQ(d.source().low, 0xc0a80102u);
  EXPECT_EQ(d.source().high, 0u);
  EXPECT_FALSE(d.packet.fragmented);
  EXPECT_EQ(d.packet.packet_count, 1);
}

TEST(Ip, ReadsTheFieldsOfIpv6) {
  Decoding d;
  ASSERT_TRUE(
      d(kit::ethernet().ipv6("2001:db8::1", "2001:db8::2").ttl(9).traffic_class(0xa5).udp(1, 2).payload("xyz")));
  EXPECT_EQ(d.packet.ttl, 9);
  EXPECT_EQ(d.packet.traffic_class, 0xa5);
  EXPECT_EQ(d.packet.ip_octets, 40u + 8 + 3);
  EXPECT_EQ(d.source().high, 0x20010db800000000u);
  EXPECT_EQ(d.source().low, 1u);
}

TEST(Ip, EthernetPaddingIsNoPayload) {
  Decoding d;
  ASSERT_TRUE(d(kit::ethernet().ipv4("1.1.1.1", "2.2.2.2").tcp(1, 2).padded(60)));
  EXPECT_EQ(d.packet.payload_length, 0u);
  EXPECT_TRUE(d.packet.payload.empty());
  ASSERT_TRUE(d(kit::ethernet().ipv6("::1", "::2").udp(1, 2).payload("z").padded(80)));
  EXPECT_EQ(d.packet.payload_length, 1u);
}

TEST(Ip, LengthZeroMeansTheFrame) {
  Decoding d;
  ASSERT_TRUE(d(kit::ethernet().ipv4("1.1.1.1", "2.2.2.2").ip_length(0).tcp(1, 2).zeros(70000)));
  EXPECT_EQ(d.packet.ip_octets, 70040u);
  EXPECT_EQ(d.packet.payload_length, 70000u);
  ASSERT_TRUE(d(kit::ethernet().ipv6("::1", "::2").ip_length(0).tcp(1, 2).zeros(70000)));
  EXPECT_EQ(d.packet.ip_octets, 70060u);
  EXPECT_EQ(d.count(Counter::decode_ip_length_zero), 2u);
}

TEST(Ip, LengthBeyondTheFrameCountsAsItSays) {
  Decoding d;
  ASSERT_TRUE(d(kit::ethernet().ipv4("1.1.1.1", "2.2.2.2").ip_length(1000).tcp(1, 2).payload("abc")));
  EXPECT_EQ(d.packet.ip_octets, 1000u);
  EXPECT_EQ(d.packet.payload_length, 960u);
  EXPECT_EQ(d.text(), "abc");
  EXPECT_TRUE(d.packet.cut);
  EXPECT_EQ(d.count(Counter::decode_ip_length_beyond), 1u);
}

TEST(Ip, SnapLengthTakesPayloadButNoCount) {
  Decoding d;
  ASSERT_TRUE(d(kit::ethernet().ipv4("1.1.1.1", "2.2.2.2").udp(1, 2).zeros(1000).build().cut(14 + 28 + 10)));
  EXPECT_EQ(d.packet.ip_octets, 1028u);
  EXPECT_EQ(d.packet.payload_length, 1000u);
  EXPECT_EQ(d.packet.payload.size(), 10u);
  EXPECT_TRUE(d.packet.cut);
}

TEST(Ip, CutAndBadHeadersAreCounted) {
  Decoding d;
  const auto p4 = kit::ethernet().ipv4("1.1.1.1", "2.2.2.2").udp(1, 2).build();
  const auto p6 = kit::ethernet().ipv6("::1", "::2").udp(1, 2).build();
  EXPECT_FALSE(d(p4.cut(14 + 19)));
  EXPECT_FALSE(d(p6.cut(14 + 39)));
  EXPECT_FALSE(
      d(kit::ethernet().ipv4("1.1.1.1", "2.2.2.2").ip_options(kit::Octets(40)).udp(1, 2).build().cut(14 + 59)));
  EXPECT_EQ(d.count(Counter::decode_ip_cut), 3u);
  kit::BuiltFrame bad = p4;
  bad.octets[14] = 0x44;  // four words of header
  EXPECT_FALSE(d(bad));
  bad.octets[14] = 0x65;  // the EtherType says version 4
  EXPECT_FALSE(d(bad));
  bad = p6;
  bad.octets[14] = 0x45;
  EXPECT_FALSE(d(bad));
  EXPECT_FALSE(d(kit::ethernet().ipv4("1.1.1.1", "2.2.2.2").ip_length(19).udp(1, 2)));
  EXPECT_EQ(d.count(Counter::decode_ip_bad), 4u);
}

TEST(Ip, StepsOverExtensionHeaders) {
  Decoding d;
  auto p = kit::ethernet().ipv6("::1", "::2").extension(0, 1).extension(43, 2).extension(60).extension(51, 4);
  ASSERT_TRUE(d(p.tcp(443, 5000).payload("abc")));
  EXPECT_EQ(d.packet.key.protocol, ip_protocol::kTcp);
  EXPECT_EQ(d.source_port(), 443);
  EXPECT_EQ(d.text(), "abc");
  EXPECT_EQ(d.packet.ip_octets, 40u + 16 + 24 + 8 + 24 + 20 + 3);
}

TEST(Ip, StepsOverTheAuthenticationHeaderOfIpv4) {
  Decoding d;
  ASSERT_TRUE(d(kit::ethernet().ipv4("1.1.1.1", "2.2.2.2").extension(51, 4).tcp(443, 5000).payload("abc")));
  EXPECT_EQ(d.packet.key.protocol, ip_protocol::kTcp);
  EXPECT_EQ(d.text(), "abc");
}

TEST(Ip, ExtensionNumbersAreOrdinaryProtocolsInIpv4) {
  Decoding d;
  ASSERT_TRUE(d(kit::ethernet().ipv4("1.1.1.1", "2.2.2.2").protocol(60).zeros(20)));
  EXPECT_EQ(d.packet.key.protocol, 60);
  EXPECT_EQ(d.packet.payload_length, 20u);
}

TEST(Ip, ExtensionHeadersWithoutEndAreCounted) {
  Decoding d;
  auto p = kit::ethernet().ipv6("::1", "::2");
  for (int i = 0; i < 40; ++i) p.extension(60);
  EXPECT_FALSE(d(p.udp(1, 2)));
  EXPECT_EQ(d.count(Counter::decode_ip_extensions), 1u);
}

TEST(Ip, ExtensionHeadersLongerThanThePacketAreBadOrCut) {
  Decoding d;
  const auto whole = kit::ethernet().ipv6("::1", "::2").extension(60, 9).udp(1, 2).build();
  EXPECT_FALSE(d(whole.cut(14 + 40 + 30)));
  EXPECT_EQ(d.count(Counter::decode_ip_cut), 1u);
  kit::BuiltFrame bad = whole;
  bad.octets[14 + 40 + 1] = 200;
  EXPECT_FALSE(d(bad));
  EXPECT_EQ(d.count(Counter::decode_ip_bad), 1u);
}

TEST(Ip, NoNextHeaderIsAFlowOfItsOwn) {
  Decoding d;
  ASSERT_TRUE(d(kit::ethernet().ipv6("::1", "::2").padded(60)));
  EXPECT_EQ(d.packet.key.protocol, 59);
  EXPECT_EQ(d.packet.ip_octets, 40u) << "an empty packet, not one of length 0";
}

TEST(Ip, AtomicFragmentsAreWholePackets) {
  Decoding d;
  ASSERT_TRUE(d(kit::ethernet().ipv6("::1", "::2").fragment_header(7, 0, false).udp(1, 2).payload("whole")));
  EXPECT_EQ(d.text(), "whole");
  EXPECT_FALSE(d.packet.fragmented);
}

}  // namespace
}  // namespace probe
