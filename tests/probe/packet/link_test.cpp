#include "probe/packet/link.h"

#include <gtest/gtest.h>

#include "tests/probe/packet/decoding.h"

namespace probe {
namespace {

// What every link layer is asked to carry in these tests.
kit::PacketBuilder udp_in(kit::PacketBuilder link) {
  return link.ipv4("10.0.0.1", "10.0.0.2").udp(1000, 53).payload("hello");
}

void expect_hello(Decoding& d, const kit::PacketBuilder& link) {
  ASSERT_TRUE(d(udp_in(link)));
  EXPECT_EQ(d.text(), "hello");
  EXPECT_EQ(d.source_port(), 1000);
  EXPECT_EQ(d.destination_port(), 53);
  EXPECT_EQ(d.packet.ip_octets, 33u);
}

TEST(Link, EthernetKeepsBothAddresses) {
  Decoding d;
  expect_hello(d, kit::ethernet());
  EXPECT_TRUE(d.packet.encapsulation.has_mac);
  EXPECT_EQ(d.packet.encapsulation.source_mac[5], 1);
  EXPECT_EQ(d.packet.encapsulation.destination_mac[5], 2);
}

TEST(Link, SnapAndBareLlcCarryIp) {
  Decoding d;
  expect_hello(d, kit::ethernet().snap());
  const kit::Octets ip = udp_in(kit::raw_ip()).octets();
  kit::Octets llc = {0x06, 0x06, 0x03};
  llc.insert(llc.end(), ip.begin(), ip.end());
  kit::PacketBuilder bare(LinkType::ethernet);
  bare.add(kit::Ethernet{1, 2, static_cast<std::uint16_t>(llc.size())}).payload(llc);
  ASSERT_TRUE(d(bare));
  EXPECT_EQ(d.text(), "hello");
}

TEST(Link, SnapLengthCutsPaddingBehindIt) {
  Decoding d;
  auto p = kit::ethernet().snap().ipv4("10.0.0.1", "10.0.0.2").ip_length(0).udp(1, 2).payload("hello");
  ASSERT_TRUE(d(p.padded(100)));
  EXPECT_EQ(d.packet.ip_octets, 33u) << "the IP length is 0, so that of IEEE 802.3 counts";
}

TEST(Link, OtherLlcIsCounted) {
  Decoding d;
  kit::PacketBuilder stp(LinkType::ethernet);
  EXPECT_FALSE(d(stp.add(kit::Ethernet{1, 2, 38}).payload(kit::Octets{0x42, 0x42, 0x03, 0, 0}).build()));
  EXPECT_EQ(d.count(Counter::decode_llc), 1u);
}

TEST(Link, CountsTagsAndKeepsTheFirstTwo) {
  Decoding d;
  expect_hello(d, kit::ethernet().vlan(0x6007, 0x88a8).vlan(9).vlan(11, 0x9100));
  EXPECT_EQ(d.packet.encapsulation.vlan_count, 3);
  EXPECT_EQ(d.packet.encapsulation.vlan[0], 0x6007);
  EXPECT_EQ(d.packet.encapsulation.vlan[1], 9);
}

TEST(Link, TagsWithoutEndAreCounted) {
  Decoding d;
  kit::PacketBuilder p = kit::ethernet();
  for (int i = 0; i < 100; ++i) p.vlan(1);
  EXPECT_FALSE(d(udp_in(p)));
  EXPECT_EQ(d.count(Counter::decode_too_many_tags), 1u);
}

TEST(Link, StepsOverTheTagsOfPortExtenders) {
  Decoding d;
  const auto tagged = [](std::uint16_t type, std::size_t octets) {
    kit::Octets tag(octets);
    tag.insert(tag.end(), {0x08, 0x00});
    return std::move(kit::PacketBuilder(LinkType::ethernet).add(kit::Ethernet{1, 2, type}).payload(tag));
  };
  expect_hello(d, tagged(0x893f, 6));
  expect_hello(d, tagged(0x8926, 4));
  EXPECT_EQ(d.packet.encapsulation.vlan_count, 0);
}

TEST(Link, LabelsCarryIpOfBothVersions) {
  Decoding d;
  expect_hello(d, kit::ethernet().mpls(16001).mpls(17));
  EXPECT_EQ(d.packet.encapsulation.mpls_count, 2);
  EXPECT_EQ(d.packet.encapsulation.mpls_top >> 4, 16001u);
  ASSERT_TRUE(d(kit::ethernet().mpls(5).ipv6("2001:db8::1", "2001:db8::2").udp(1, 2).payload("six")));
  EXPECT_EQ(d.packet.key.ip_version, 6);
  EXPECT_EQ(d.packet.encapsulation.mpls_top & 1, 1u) << "bottom of stack";
}

TEST(Link, LabelsWithoutEndAreCounted) {
  Decoding d;
  kit::PacketBuilder p = kit::ethernet();
  for (int i = 0; i < 100; ++i) p.mpls(16);
  EXPECT_FALSE(d(udp_in(p)));
  EXPECT_EQ(d.count(Counter::decode_too_many_tags), 1u);
}

TEST(Link, PseudowireWithControlWordCarriesEthernet) {
  Decoding d;
  auto p = kit::ethernet().mpls(18).payload(kit::Octets{0, 0, 0, 1}).ethernet().vlan(5);
  expect_hello(d, p);
  EXPECT_EQ(d.packet.encapsulation.vlan[0], 5);
}

TEST(Link, PppoeSessionCarriesIpAndControlIsCounted) {
  Decoding d;
  expect_hello(d, kit::ethernet().pppoe(77));
  EXPECT_FALSE(d(kit::ethernet().pppoe(77).payload("lcp")));
  EXPECT_EQ(d.count(Counter::decode_ppp_control), 1u);
}

TEST(Link, PppWithAndWithoutAddressAndControl) {
  Decoding d;
  expect_hello(d, kit::ppp(true));
  expect_hello(d, kit::ppp(false));
}

TEST(Link, PppProtocolOfOneOctet) {
  Decoding d;
  kit::PacketBuilder p(LinkType::ppp);
  expect_hello(d, p.payload(kit::Octets{0x21}));
}

TEST(Link, LinuxCookedOfBothVersionsWithTags) {
  Decoding d;
  expect_hello(d, kit::linux_cooked(1));
  expect_hello(d, kit::linux_cooked(2));
  expect_hello(d, kit::linux_cooked(2).vlan(7));
  EXPECT_EQ(d.packet.encapsulation.vlan[0], 7);
  EXPECT_FALSE(d.packet.encapsulation.has_mac);
}

TEST(Link, BsdFamiliesInBothByteOrders) {
  Decoding d;
  for (const bool big_endian : {false, true}) {
    expect_hello(d, kit::bsd(LinkType::bsd_null, 2, big_endian));
    for (const std::uint8_t family : {10, 24, 28, 30}) {
      ASSERT_TRUE(d(kit::bsd(LinkType::bsd_loop, family, big_endian).ipv6("::1", "::2").udp(1, 2)));
      EXPECT_EQ(d.packet.key.ip_version, 6);
    }
  }
  EXPECT_FALSE(d(kit::bsd(LinkType::bsd_null, 7, false).payload("appletalk")));
  EXPECT_EQ(d.count(Counter::decode_not_ip), 1u);
}

TEST(Link, RawIpTellsTheVersionItself) {
  Decoding d;
  expect_hello(d, kit::raw_ip());
  ASSERT_TRUE(d(kit::raw_ip().ipv6("::1", "::2").udp(1, 2)));
  EXPECT_FALSE(d(kit::raw_ip().payload("\x50")));
  EXPECT_EQ(d.count(Counter::decode_not_ip), 1u);
}

TEST(Link, FramesWithoutIpAreCountedByKind) {
  const auto of_type = [](std::uint16_t type) {
    return kit::PacketBuilder(LinkType::ethernet).add(kit::Ethernet{1, 2, type}).zeros(46).build();
  };
  Decoding d;
  EXPECT_FALSE(d(of_type(0x0806)));
  EXPECT_FALSE(d(of_type(0x88cc)));
  EXPECT_FALSE(d(of_type(0x88e5)));
  EXPECT_FALSE(d(of_type(0x8863)));
  EXPECT_FALSE(d(of_type(0x1234)));
  for (const Counter c : {Counter::decode_arp, Counter::decode_lldp, Counter::decode_macsec,
                          Counter::decode_ppp_control, Counter::decode_not_ip})
    EXPECT_EQ(d.count(c), 1u) << info_of(c).name;
  EXPECT_EQ(d.count(Counter::decode_packets), 0u);
}

TEST(Link, TellsCutFramesFromShortOnes) {
  Decoding d;
  auto p = kit::ethernet().vlan(7);
  const kit::BuiltFrame whole = udp_in(p).build();
  EXPECT_FALSE(d(whole.cut(13)));
  EXPECT_FALSE(d(whole.cut(16)));
  EXPECT_EQ(d.count(Counter::decode_link_cut), 2u);
  kit::BuiltFrame runt = whole.cut(13);
  runt.wire_length = 13;
  EXPECT_FALSE(d(runt));
  EXPECT_EQ(d.count(Counter::decode_link_bad), 1u);
}

TEST(Link, UnknownLinkTypesAreCounted) {
  Decoding d;
  EXPECT_FALSE(d(kit::PacketBuilder(LinkType::unknown).zeros(60)));
  EXPECT_EQ(d.count(Counter::decode_link_unknown), 1u);
}

}  // namespace
}  // namespace probe
