#include "probe/packet/plain_tcp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/probe/packet/decoding.h"

namespace probe {
namespace {

kit::PacketBuilder plain() { return kit::ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(4242, 80); }

bool is_plain(const kit::BuiltFrame& f) {
  Packet p;
  return decode_plain_tcp(f.frame(), p);
}

// The same datagram without its Ethernet header, which only the layers can decode.
kit::BuiltFrame without_link(kit::BuiltFrame f) {
  constexpr std::size_t kEthernet = 14;
  f.octets.erase(f.octets.begin(), f.octets.begin() + std::min(kEthernet, f.octets.size()));
  f.wire_length -= std::min<std::uint32_t>(kEthernet, f.wire_length);
  f.link = LinkType::raw_ip;
  return f;
}

void expect_same(const Packet& a, const Packet& b) {
  EXPECT_EQ(a.key, b.key);
  EXPECT_EQ(a.hash, b.hash);
  EXPECT_EQ(a.time, b.time);
  EXPECT_EQ(a.from_high, b.from_high);
  EXPECT_EQ(a.fragmented, b.fragmented);
  EXPECT_EQ(a.cut, b.cut);
  EXPECT_EQ(a.dont_fragment, b.dont_fragment);
  EXPECT_EQ(a.ttl, b.ttl);
  EXPECT_EQ(a.traffic_class, b.traffic_class);
  EXPECT_EQ(a.port, b.port);
  EXPECT_EQ(a.packet_count, b.packet_count);
  EXPECT_EQ(a.ip_id, b.ip_id);
  EXPECT_EQ(a.ip_octets, b.ip_octets);
  EXPECT_EQ(a.icmp_type_code, b.icmp_type_code);
  EXPECT_EQ(a.payload_length, b.payload_length);
  EXPECT_EQ(as_text(a.payload), as_text(b.payload));
}

void expect_same(const TcpHeader& a, const TcpHeader& b) {
  EXPECT_EQ(a.sequence, b.sequence);
  EXPECT_EQ(a.acknowledgement, b.acknowledgement);
  EXPECT_EQ(a.window, b.window);
  EXPECT_EQ(a.flags, b.flags);
  EXPECT_EQ(a.has_window_scale, b.has_window_scale);
  EXPECT_EQ(a.window_scale, b.window_scale);
  EXPECT_EQ(a.maximum_segment, b.maximum_segment);
  EXPECT_EQ(a.has_timestamps, b.has_timestamps);
  EXPECT_EQ(a.sack_permitted, b.sack_permitted);
  EXPECT_EQ(a.sack_blocks, b.sack_blocks);
  EXPECT_EQ(a.option_order, b.option_order);
  EXPECT_EQ(a.fast_open, b.fast_open);
}

TEST(PlainTcp, TakesOrdinarySegments) {
  EXPECT_TRUE(is_plain(plain().build()));
  EXPECT_TRUE(is_plain(plain().payload("GET / HTTP/1.1\r\n").build()));
}

TEST(PlainTcp, LeavesAllElseToTheLayers) {
  EXPECT_FALSE(is_plain(kit::ethernet().vlan(7).ipv4("1.1.1.1", "2.2.2.2").tcp(1, 2).build()));
  EXPECT_FALSE(is_plain(kit::ethernet().ipv6("::1", "::2").tcp(1, 2).build()));
  EXPECT_FALSE(is_plain(kit::ethernet().ipv4("1.1.1.1", "2.2.2.2").udp(1, 2).build()));
  EXPECT_FALSE(is_plain(without_link(plain().build())));
}

TEST(PlainTcp, ReportsTheAddressesOfTheLink) {
  Decoding d;
  kit::BuiltFrame f = plain().build();
  for (std::uint8_t i = 0; i < 12; ++i) f.octets[i] = i;
  ASSERT_TRUE(is_plain(f));
  ASSERT_TRUE(d(f));
  EXPECT_TRUE(d.packet.encapsulation.has_mac);
  EXPECT_EQ(d.packet.encapsulation.destination_mac, (std::array<std::uint8_t, 6>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(d.packet.encapsulation.source_mac, (std::array<std::uint8_t, 6>{6, 7, 8, 9, 10, 11}));
}

// Frames that are a little wrong anywhere, cut or padded: whichever way one takes, the packet is the same.
TEST(PlainTcp, MakesWhatTheLayersMake) {
  std::mt19937 random(7);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  Decoding whole, layers;
  int went_plain = 0;
  for (int i = 0; i < 20000; ++i) {
    kit::BuiltFrame f = plain().payload(std::string(below(40), 'x')).time(i).build();
    f.octets.resize(f.octets.size() + below(3) * 6);  // padding
    f.wire_length = static_cast<std::uint32_t>(f.octets.size() + below(2) * below(100));
    f.octets[46] = static_cast<std::uint8_t>((5 + below(8)) << 4);  // data offset: what was payload may be options
    if (below(8) == 0) f.octets[14] = static_cast<std::uint8_t>(0x40 + below(16));
    for (std::size_t n = below(4); n > 0; --n)
      f.octets[15 + below(f.octets.size() - 15)] = static_cast<std::uint8_t>(random());
    f.octets.resize(f.octets.size() - below(2) * below(30));
    went_plain += is_plain(f);
    whole.new_burst();
    layers.new_burst();
    const bool decoded = whole(f);
    ASSERT_EQ(decoded, layers(without_link(f)));
    EXPECT_EQ(whole.count(Counter::decode_ip_length_beyond), layers.count(Counter::decode_ip_length_beyond));
    if (!decoded) continue;
    expect_same(whole.packet, layers.packet);
    if (whole.packet.is_tcp()) expect_same(whole.packet.tcp, layers.packet.tcp);
    ASSERT_FALSE(HasFailure()) << i;
  }
  EXPECT_GT(went_plain, 5000);
  EXPECT_LT(went_plain, 19000);
}

}  // namespace
}  // namespace probe
