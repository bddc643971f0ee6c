#include "probe/packet/tunnel.h"

#include <gtest/gtest.h>

#include "tests/probe/packet/decoding.h"

namespace probe {
namespace {

kit::PacketBuilder outer() { return std::move(kit::ethernet().ipv4("192.0.2.1", "192.0.2.2")); }
kit::PacketBuilder outer6() { return std::move(kit::ethernet().ipv6("2001:db8::1", "2001:db8::2")); }

// Puts an inner packet into the tunnel and expects it to be what comes out.
void expect_inner(Decoding& d, kit::PacketBuilder tunnel, Tunnel kind) {
  ASSERT_TRUE(d(tunnel.ipv4("10.0.0.1", "10.0.0.2").ttl(3).tcp(4242, 80).seq(9).payload("inner")));
  EXPECT_EQ(d.source().low, 0x0a000001u);
  EXPECT_EQ(d.source_port(), 4242);
  EXPECT_EQ(d.text(), "inner");
  EXPECT_EQ(d.packet.ttl, 3);
  EXPECT_EQ(d.packet.tcp.sequence, 9u);
  EXPECT_EQ(d.packet.ip_octets, 45u);
  EXPECT_EQ(d.packet.encapsulation.tunnel, kind);
  EXPECT_EQ(d.packet.encapsulation.source_mac[5], 1);
}

void expect_id(const Decoding& d, std::uint32_t id) {
  EXPECT_TRUE(d.packet.encapsulation.has_tunnel_id);
  EXPECT_EQ(d.packet.encapsulation.tunnel_id, id);
}

void expect_outer(Decoding& d, std::uint8_t protocol) {
  EXPECT_EQ(d.source().low, 0xc0000201u);
  EXPECT_EQ(d.packet.key.protocol, protocol);
  EXPECT_EQ(d.packet.encapsulation.tunnel, Tunnel::none);
  EXPECT_FALSE(d.packet.encapsulation.has_tunnel_id);
}

TEST(Tunnel, IpInIpOfAllVersions) {
  Decoding d;
  expect_inner(d, outer(), Tunnel::ip_in_ip);
  expect_inner(d, outer6(), Tunnel::ip_in_ip);
  EXPECT_FALSE(d.packet.encapsulation.has_tunnel_id);
  ASSERT_TRUE(d(outer().ipv6("fd00::1", "fd00::2").udp(1, 2)));
  EXPECT_EQ(d.packet.key.ip_version, 6);
  ASSERT_TRUE(d(outer6().ipv6("fd00::1", "fd00::2").udp(1, 2)));
  EXPECT_EQ(d.source().high >> 56, 0xfdu);
}

TEST(Tunnel, GreWithEachOfItsFields) {
  Decoding d;
  expect_inner(d, outer().gre(), Tunnel::gre);
  EXPECT_FALSE(d.packet.encapsulation.has_tunnel_id);
  expect_inner(d, outer().add(kit::Gre{.key = 0xdeadbeef, .sequence = 5, .checksum = true}), Tunnel::gre);
  expect_id(d, 0xdeadbeef);
  expect_inner(d, outer6().gre().mpls(7), Tunnel::gre);
  EXPECT_EQ(d.packet.encapsulation.mpls_count, 1);
}

TEST(Tunnel, GreCarriesEthernetWithTags) {
  Decoding d;
  expect_inner(d, outer().gre().ethernet().vlan(12), Tunnel::gre);
  EXPECT_EQ(d.packet.encapsulation.vlan[0], 12);
}

TEST(Tunnel, PptpCarriesPpp) {
  Decoding d;
  const kit::Gre pptp{.key = 99, .sequence = 1, .acknowledgement = 2, .version = 1};
  expect_inner(d, outer().add(pptp).add(kit::Ppp{true}), Tunnel::gre);
  expect_id(d, 99);
}

TEST(Tunnel, PptpAcknowledgementsAloneAreTheOuterFlow) {
  Decoding d;
  ASSERT_TRUE(d(outer().add(kit::Gre{.key = 99, .acknowledgement = 2, .version = 1, .type = 0x880b})));
  expect_outer(d, ip_protocol::kGre);
  EXPECT_EQ(d.count(Counter::decode_tunnel_unreadable), 0u);
}

TEST(Tunnel, ErspanOfThreeTypes) {
  Decoding d;
  expect_inner(d, outer().erspan(1).ethernet(), Tunnel::erspan);
  EXPECT_FALSE(d.packet.encapsulation.has_tunnel_id);
  expect_inner(d, outer().erspan(2, 1023).ethernet(), Tunnel::erspan);
  expect_id(d, 1023);
  expect_inner(d, outer().erspan(3, 5).ethernet(), Tunnel::erspan);
  expect_id(d, 5);
  expect_inner(d, outer().add(kit::Gre{.sequence = 1}).add(kit::Erspan{3, 6, true}).ethernet(), Tunnel::erspan);
  expect_id(d, 6);
}

TEST(Tunnel, VxlanAndGeneveNetworksKeepFlowsApart) {
  Decoding a, b;
  expect_inner(a, outer().udp(50000, 4789).vxlan(0).ethernet(), Tunnel::vxlan);
  expect_id(a, 0);
  expect_inner(b, outer().udp(50000, 4789).vxlan(0xabcdef).ethernet(), Tunnel::vxlan);
  expect_id(b, 0xabcdef);
  EXPECT_NE(a.packet.key, b.packet.key);
  Decoding plain;
  ASSERT_TRUE(plain(kit::ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(4242, 80)));
  EXPECT_NE(a.packet.key, plain.packet.key) << "network 0 is a network";
  expect_inner(b, outer6().udp(50000, 6081).geneve(0, 3).ethernet(), Tunnel::geneve);
  EXPECT_EQ(a.packet.key, b.packet.key);
}

TEST(Tunnel, NetworksAreNotInTheKeyUnlessAsked) {
  const DecodeOptions options{.vni_in_key = false};
  Decoding a(options), b(options);
  expect_inner(a, outer().udp(50000, 4789).vxlan(1).ethernet(), Tunnel::vxlan);
  expect_inner(b, outer().udp(50000, 4789).vxlan(2).ethernet(), Tunnel::vxlan);
  EXPECT_EQ(a.packet.key, b.packet.key);
}

TEST(Tunnel, GeneveCarriesBareIpToo) {
  Decoding d;
  expect_inner(d, outer().udp(50000, 6081).geneve(77), Tunnel::geneve);
  expect_id(d, 77);
}

TEST(Tunnel, GtpWithAndWithoutExtensionHeaders) {
  Decoding d;
  expect_inner(d, outer().udp(2152, 2152).gtp(0x01020304), Tunnel::gtp_u);
  expect_id(d, 0x01020304);
  expect_inner(d, outer().udp(2152, 2152).gtp(5, 2), Tunnel::gtp_u);
  kit::PacketBuilder echo = outer().udp(2152, 2152).add(kit::Gtp{.message = 1});
  ASSERT_TRUE(d(echo.zeros(4)));
  expect_outer(d, ip_protocol::kUdp);
  EXPECT_EQ(d.count(Counter::decode_tunnel_unreadable), 0u);
}

TEST(Tunnel, AClientThatUsesATunnelPortIsNoTunnel) {
  Decoding d;
  ASSERT_TRUE(d(outer().udp(4789, 53).vxlan(1).ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(1, 2)));
  expect_outer(d, ip_protocol::kUdp);
}

TEST(Tunnel, AnyOfThemMayBeInsideOfAnother) {
  Decoding d;
  auto p =
      outer().udp(50000, 4789).vxlan(5).ethernet().ipv4("172.16.0.1", "172.16.0.2").gre().ipv6("fd00::1", "fd00::2");
  expect_inner(d, p, Tunnel::ip_in_ip);
  EXPECT_EQ(d.count(Counter::decode_tunnels_opened), 3u);
  EXPECT_FALSE(d.packet.encapsulation.has_tunnel_id) << "it belongs to the innermost tunnel";
}

TEST(Tunnel, NestingIsBounded) {
  Decoding d;
  kit::PacketBuilder p = outer();
  for (int i = 0; i < 40; ++i) p.ipv4("172.16.0.1", "172.16.0.2");
  ASSERT_TRUE(d(p.udp(1, 2)));
  EXPECT_EQ(d.packet.key.protocol, ip_protocol::kIpip);
  EXPECT_EQ(d.count(Counter::decode_tunnel_too_deep), 1u);
}

TEST(Tunnel, StaysClosedIfTheOptionSaysSo) {
  Decoding d({.open_tunnels = false});
  ASSERT_TRUE(d(outer().gre().ipv4("10.0.0.1", "10.0.0.2").udp(1, 2)));
  expect_outer(d, ip_protocol::kGre);
}

TEST(Tunnel, WhatCannotBeDecodedLeavesTheOuterPacketAsItWas) {
  Decoding plain, d;
  auto arp = outer().ttl(17).udp(50000, 4789).vxlan(5).add(kit::Ethernet{1, 2, 0x0806}).zeros(28);
  Decoding closed({.open_tunnels = false});
  ASSERT_TRUE(closed(arp));
  ASSERT_TRUE(d(arp));
  expect_outer(d, ip_protocol::kUdp);
  EXPECT_EQ(d.packet.key, closed.packet.key);
  EXPECT_EQ(d.packet.hash, closed.packet.hash);
  EXPECT_EQ(d.packet.ip_octets, closed.packet.ip_octets);
  EXPECT_EQ(d.packet.payload_length, closed.packet.payload_length);
  EXPECT_EQ(d.packet.ttl, 17);
  EXPECT_EQ(d.count(Counter::decode_tunnel_unreadable), 1u);
  EXPECT_EQ(d.count(Counter::decode_arp), 0u) << "the frame is not lost";
}

TEST(Tunnel, OfTwoTunnelsTheInnermostReadableOneCounts) {
  Decoding d;
  ASSERT_TRUE(d(outer().udp(9, 4789).vxlan(5).ethernet().ipv4("10.9.9.9", "10.0.0.2").gre().payload("no IP")));
  EXPECT_EQ(d.source().low, 0x0a090909u);
  EXPECT_EQ(d.packet.key.protocol, ip_protocol::kGre);
  EXPECT_EQ(d.packet.encapsulation.tunnel, Tunnel::vxlan);
}

TEST(Tunnel, BadAndCutHeadersAreCounted) {
  Decoding d;
  const std::vector<kit::PacketBuilder> bad = {
      outer().add(kit::Gre{.version = 3, .type = 0x0800}).zeros(40),
      outer().gre().zeros(40),
      outer().add(kit::Gre{.key = 1, .type = 0x0800}),
      outer().udp(1, 4789).zeros(7),
      outer().udp(1, 4789).add(kit::Vxlan{1, 0}).zeros(40),
      outer().udp(1, 6081).payload(kit::Octets{63, 0, 0x65, 0x58, 0, 0, 0, 0}),
      outer().udp(1, 2152).payload(kit::Octets{0x50, 255, 0, 0, 0, 0, 0, 0}),
      outer().udp(1, 2152).payload(kit::Octets{0x34, 255, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0x85, 0, 0, 0, 0}),
      outer().add(kit::Gre{.sequence = 1}).add(kit::Erspan{2, 1}).zeros(6),
      outer().add(kit::Gre{.sequence = 1, .type = 0x88be}).zeros(40),
      outer().add(kit::Gre{.sequence = 1, .type = 0x22eb}).zeros(40),
  };
  std::uint64_t n = 0;
  for (const auto& p : bad) {
    ASSERT_TRUE(d(p)) << "frame " << n;
    EXPECT_EQ(d.count(Counter::decode_tunnel_unreadable), ++n);
    EXPECT_EQ(d.source().low, 0xc0000201u);
  }
}

}  // namespace
}  // namespace probe
