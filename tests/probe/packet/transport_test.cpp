#include "probe/packet/transport.h"

#include <gtest/gtest.h>

#include "tests/probe/packet/decoding.h"

namespace probe {
namespace {

kit::PacketBuilder ip4() { return std::move(kit::ethernet().ipv4("10.0.0.1", "10.0.0.2")); }

TEST(Transport, ReadsTheTcpHeader) {
  Decoding d;
  auto p = ip4().tcp(4242, 80).seq(0xfffffff0).ack(77).flags(tcp_flag::kPsh | tcp_flag::kAck | tcp_flag::kCwr);
  ASSERT_TRUE(d(p.window(502).payload("GET /")));
  EXPECT_EQ(d.packet.tcp.sequence, 0xfffffff0u);
  EXPECT_EQ(d.packet.tcp.acknowledgement, 77u);
  EXPECT_EQ(d.packet.tcp.flags, tcp_flag::kPsh | tcp_flag::kAck | tcp_flag::kCwr);
  EXPECT_EQ(d.packet.tcp.window, 502);
  EXPECT_EQ(d.packet.payload_length, 5u);
  EXPECT_EQ(d.packet.sequence_length(), 5u);
  EXPECT_EQ(d.text(), "GET /");
}

TEST(Transport, ReadsTheOptionsOfASyn) {
  Decoding d;
  auto p = ip4().tcp(1, 2).flags(tcp_flag::kSyn).maximum_segment(1460).sack_permitted().timestamps(100, 0);
  ASSERT_TRUE(d(p.tcp_options({1}).window_scale(7)));
  const TcpHeader& tcp = d.packet.tcp;
  EXPECT_EQ(tcp.maximum_segment, 1460);
  EXPECT_TRUE(tcp.sack_permitted);
  EXPECT_TRUE(tcp.has_window_scale);
  EXPECT_EQ(tcp.window_scale, 7);
  EXPECT_TRUE(tcp.has_timestamps);
  EXPECT_EQ(tcp.timestamp_value, 100u);
  EXPECT_EQ(d.packet.sequence_length(), 1u);
}

TEST(Transport, TellsTheOrderOfTheOptions) {
  Decoding d;
  auto p =
      ip4().tcp(1, 2).flags(tcp_flag::kSyn).maximum_segment(1460).sack_permitted().tcp_options({1}).window_scale(7);
  ASSERT_TRUE(d(p.tcp_options({34, 2, 30, 2, 77, 2, 0, 0})));
  EXPECT_EQ(d.packet.tcp.option_order, 0x3524'89b1u);
  EXPECT_EQ(d.packet.tcp.fast_open, TcpHeader::FastOpen::asked);
  ASSERT_TRUE(d(ip4().tcp(1, 2).tcp_options({1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2})));
  EXPECT_EQ(d.packet.tcp.option_order, 0x227u);
  EXPECT_EQ(d.packet.tcp.fast_open, TcpHeader::FastOpen::none);
  ASSERT_TRUE(d(ip4().tcp(1, 2)));
  EXPECT_EQ(d.packet.tcp.option_order, 0u);
}

TEST(Transport, KeepsTheFirstSixteenOptions) {
  Decoding d;
  ASSERT_TRUE(d(ip4().tcp(1, 2).tcp_options({4, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0})));
  EXPECT_EQ(d.packet.tcp.option_order, 0x5222'2222'2222'2222u);
}

TEST(Transport, ReadsCookiesOfFastOpen) {
  Decoding d;
  ASSERT_TRUE(d(ip4().tcp(1, 2).tcp_options({34, 6, 1, 2, 3, 4, 1, 1})));
  EXPECT_EQ(d.packet.tcp.fast_open, TcpHeader::FastOpen::cookie);
  ASSERT_TRUE(d(ip4().tcp(1, 2).tcp_options({254, 4, 0xf9, 0x89})));  // its draft's number
  EXPECT_EQ(d.packet.tcp.fast_open, TcpHeader::FastOpen::asked);
  ASSERT_TRUE(d(ip4().tcp(1, 2).tcp_options({254, 8, 0xf9, 0x89, 1, 2, 3, 4})));
  EXPECT_EQ(d.packet.tcp.fast_open, TcpHeader::FastOpen::cookie);
  ASSERT_TRUE(d(ip4().tcp(1, 2).tcp_options({254, 4, 0xf9, 0x88})));
  EXPECT_EQ(d.packet.tcp.fast_open, TcpHeader::FastOpen::none);
}

TEST(Transport, ReadsTimestampsAlone) {
  Decoding d;
  ASSERT_TRUE(d(ip4().tcp(1, 2).timestamps(0x01020304, 0xa0b0c0d0).payload("x")));
  EXPECT_TRUE(d.packet.tcp.has_timestamps);
  EXPECT_EQ(d.packet.tcp.timestamp_value, 0x01020304u);
  EXPECT_EQ(d.packet.tcp.timestamp_echo, 0xa0b0c0d0u);
  EXPECT_EQ(d.packet.tcp.sack_blocks, 0);
  EXPECT_EQ(d.text(), "x");
}

TEST(Transport, ReadsSackBlocks) {
  Decoding d;
  ASSERT_TRUE(d(ip4().tcp(1, 2).timestamps(1, 2).sack({{10, 20}, {30, 40}, {50, 60}})));
  EXPECT_EQ(d.packet.tcp.sack_blocks, 3);
  EXPECT_EQ(d.packet.tcp.sack[2].left, 50u);
  EXPECT_EQ(d.packet.tcp.sack[2].right, 60u);
}

TEST(Transport, NothingOfOneHeaderStaysForTheNext) {
  Decoding d;
  ASSERT_TRUE(d(ip4().tcp(1, 2).maximum_segment(9).window_scale(3).sack_permitted().timestamps(1, 2)));
  ASSERT_TRUE(d(ip4().tcp(1, 2).sack({{1, 2}})));
  EXPECT_FALSE(d.packet.tcp.has_timestamps);
  EXPECT_FALSE(d.packet.tcp.has_window_scale);
  EXPECT_FALSE(d.packet.tcp.sack_permitted);
  EXPECT_EQ(d.packet.tcp.maximum_segment, 0);
  ASSERT_TRUE(d(ip4().tcp(1, 2)));
  EXPECT_EQ(d.packet.tcp.sack_blocks, 0);
  ASSERT_TRUE(d(ip4().icmp(8, 0)));
  ASSERT_TRUE(d(ip4().udp(1, 2)));
  EXPECT_EQ(d.packet.icmp_type_code, 0);
}

TEST(Transport, BadOptionLengthsEndTheOptions) {
  Decoding d;
  ASSERT_TRUE(d(ip4().tcp(1, 2).tcp_options({8, 0, 2, 4, 5, 5})));  // length 0
  EXPECT_EQ(d.packet.tcp.maximum_segment, 0);
  ASSERT_TRUE(d(ip4().tcp(1, 2).tcp_options({2, 4, 5, 6, 8, 40, 1, 1}).payload("not an option")));
  EXPECT_EQ(d.packet.tcp.maximum_segment, 0x0506);
  EXPECT_FALSE(d.packet.tcp.has_timestamps);
  EXPECT_EQ(d.text(), "not an option");
}

TEST(Transport, OptionsAreReadAsFarAsTheSnapLengthLeftThem) {
  Decoding d;
  const auto whole = ip4().tcp(1, 2).maximum_segment(1460).timestamps(1, 2).zeros(100).build();
  ASSERT_TRUE(d(whole.cut(14 + 20 + 20 + 6)));
  EXPECT_EQ(d.packet.tcp.maximum_segment, 1460);
  EXPECT_FALSE(d.packet.tcp.has_timestamps);
  EXPECT_EQ(d.packet.payload_length, 100u);
  EXPECT_TRUE(d.packet.payload.empty());
  EXPECT_TRUE(d.packet.cut);
}

TEST(Transport, CutHeadersAreCountedAndDropped) {
  Decoding d;
  const auto tcp = ip4().tcp(1, 2).build();
  EXPECT_FALSE(d(tcp.cut(14 + 20 + 3)));   // inside of the ports
  EXPECT_FALSE(d(tcp.cut(14 + 20 + 12)));  // before the flags
  EXPECT_FALSE(d(ip4().udp(1, 2).build().cut(14 + 20 + 7)));
  EXPECT_FALSE(d(ip4().sctp(1, 2).build().cut(14 + 20 + 11)));
  EXPECT_FALSE(d(ip4().icmp(8).build().cut(14 + 20 + 1)));
  EXPECT_EQ(d.count(Counter::decode_transport_cut), 5u);
  EXPECT_EQ(d.count(Counter::decode_packets), 0u);
}

TEST(Transport, ImpossibleHeadersAreCountedAndDropped) {
  Decoding d;
  EXPECT_FALSE(d(ip4().tcp(1, 2).header_words(4).zeros(20)));
  EXPECT_FALSE(d(ip4().tcp(1, 2).header_words(15).zeros(20)));
  EXPECT_FALSE(d(ip4().protocol(ip_protocol::kTcp).zeros(19)));
  EXPECT_FALSE(d(ip4().protocol(ip_protocol::kUdp).zeros(7)));
  EXPECT_EQ(d.count(Counter::decode_transport_bad), 4u);
}

TEST(Transport, UdpLengthIsALimitInsideOfTheIpLength) {
  Decoding d;
  ASSERT_TRUE(d(ip4().udp(1, 2).udp_length(8 + 3).payload("abcdef")));
  EXPECT_EQ(d.text(), "abc");
  EXPECT_EQ(d.packet.payload_length, 3u);
  EXPECT_EQ(d.count(Counter::decode_udp_length_bad), 0u);
  ASSERT_TRUE(d(ip4().udp(1, 2).udp_length(500).payload("abcdef")));
  EXPECT_EQ(d.packet.payload_length, 6u);
  ASSERT_TRUE(d(ip4().udp(1, 2).udp_length(7).payload("abcdef")));
  EXPECT_EQ(d.packet.payload_length, 0u);
  EXPECT_EQ(d.count(Counter::decode_udp_length_bad), 2u);
  ASSERT_TRUE(d(ip4().udp(1, 2).udp_length(0).payload("abcdef")));
  EXPECT_EQ(d.packet.payload_length, 6u);
}

TEST(Transport, SctpHasPorts) {
  Decoding d;
  ASSERT_TRUE(d(ip4().sctp(38412, 5000).payload("chunk")));
  EXPECT_EQ(d.source_port(), 38412);
  EXPECT_EQ(d.destination_port(), 5000);
  EXPECT_EQ(d.text(), "chunk");
}

TEST(Transport, EchoAndReplyHaveOneKey) {
  Decoding request, reply;
  ASSERT_TRUE(request(kit::ethernet().ipv4("10.0.0.1", "10.0.0.2").icmp(8, 0).payload("ping")));
  ASSERT_TRUE(reply(kit::ethernet().ipv4("10.0.0.2", "10.0.0.1").icmp(0, 0).payload("ping")));
  EXPECT_EQ(request.packet.key, reply.packet.key);
  EXPECT_EQ(request.packet.icmp_type_code, 0x0800);
  EXPECT_EQ(request.text(), "ping");
  ASSERT_TRUE(request(kit::ethernet().ipv6("::1", "::2").icmpv6(128, 3)));
  EXPECT_EQ(request.packet.icmp_type_code, 128 * 256 + 3);
}

TEST(Transport, OtherProtocolsAreFlowsWithoutPorts) {
  Decoding d;
  for (const std::uint8_t protocol : {2, 33, 50, 89, 103, 112, 255}) {
    ASSERT_TRUE(d(ip4().protocol(protocol).zeros(30)));
    EXPECT_EQ(d.packet.key.protocol, protocol);
    EXPECT_EQ(d.packet.key.low_port, 0);
    EXPECT_EQ(d.packet.key.high_port, 0);
    EXPECT_EQ(d.packet.payload_length, 30u);
  }
}

}  // namespace
}  // namespace probe
