// Fragments on their way through the decoder: the packet that comes out, in tunnels and around them.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/probe/packet/decoding.h"

namespace probe {
namespace {

std::string letters(std::size_t n) {
  std::string s;
  for (std::size_t i = 0; i < n; ++i) s += static_cast<char>('a' + i % 26);
  return s;
}

kit::Octets udp_of(const std::string& text) { return kit::raw_ip().udp(1000, 53).payload(text).octets(); }

// An IP payload cut into IPv4 or IPv6 fragments behind `around`.
std::vector<kit::BuiltFrame> fragments(const kit::PacketBuilder& around, const kit::Octets& payload, std::size_t size,
                                       std::uint8_t protocol = ip_protocol::kUdp, bool version6 = false) {
  std::vector<kit::BuiltFrame> out;
  for (const kit::PayloadPiece& piece : kit::pieces(payload, size)) {
    kit::PacketBuilder p = around;
    if (version6)
      p.ipv6("2001:db8::1", "2001:db8::2").fragment_header(77, piece.offset, piece.more).protocol(protocol);
    else
      p.ipv4("10.0.0.1", "10.0.0.2").id(77).fragment(piece.offset, piece.more).protocol(protocol);
    out.push_back(p.payload(piece.octets).time(static_cast<Nanos>(out.size())).build());
  }
  return out;
}

TEST(Fragments, OnePacketStandsForAll) {
  Decoding d;
  const std::string text = letters(3000);
  const auto all = fragments(kit::ethernet(), udp_of(text), 1480);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_FALSE(d(all[0]));
  EXPECT_FALSE(d(all[1]));
  ASSERT_TRUE(d(all[2]));
  EXPECT_EQ(d.text(), text);
  EXPECT_EQ(d.source_port(), 1000);
  EXPECT_EQ(d.packet.packet_count, 3);
  EXPECT_EQ(d.packet.ip_octets, 3008u + 3 * 20);
  EXPECT_EQ(d.packet.payload_length, 3000u);
  EXPECT_EQ(d.packet.time, 2);
  EXPECT_TRUE(d.packet.fragmented);
  EXPECT_FALSE(d.packet.cut);
  EXPECT_EQ(d.count(Counter::decode_fragments_waiting), 2u);
  EXPECT_EQ(d.count(Counter::decode_datagrams_reassembled), 1u);
  ASSERT_TRUE(d(kit::ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(1, 2)));
  EXPECT_FALSE(d.packet.fragmented);
  EXPECT_EQ(d.packet.packet_count, 1);
}

TEST(Fragments, AnyOrderWillDo) {
  const std::string text = letters(500);
  auto all = fragments(kit::ethernet(), udp_of(text), 128);
  ASSERT_EQ(all.size(), 4u);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.octets < b.octets; });
  std::size_t orders = 0;
  do {
    Decoding d;
    std::size_t packets = 0;
    for (const auto& f : all) packets += d(f);
    ASSERT_EQ(packets, 1u);
    EXPECT_EQ(d.text(), text);
    ++orders;
  } while (
      std::next_permutation(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.octets < b.octets; }));
  EXPECT_EQ(orders, 24u);
}

TEST(Fragments, OfIpv6HaveTheirExtensionHeadersOnBothSides) {
  Decoding d;
  const std::string text = letters(300);
  const kit::Octets payload = kit::raw_ip().extension(60).udp(1000, 53).payload(text).octets();
  std::vector<kit::BuiltFrame> all;
  for (const auto& piece : kit::pieces(payload, 160)) {
    auto p = kit::ethernet().ipv6("::1", "::2").extension(0).fragment_header(5, piece.offset, piece.more);
    // Only the first fragment's next header counts (RFC 8200 §4.5).
    all.push_back(p.protocol(piece.offset == 0 ? 60 : 6).payload(piece.octets).build());
  }
  ASSERT_EQ(all.size(), 2u);
  EXPECT_FALSE(d(all[1]));
  ASSERT_TRUE(d(all[0]));
  EXPECT_EQ(d.packet.key.protocol, ip_protocol::kUdp);
  EXPECT_EQ(d.text(), text);
  EXPECT_EQ(d.packet.ip_octets, 2 * (40 + 8 + 8) + payload.size());
}

TEST(Fragments, PaddingOfShortFramesIsNotPartOfThem) {
  Decoding d;
  EXPECT_FALSE(d(kit::ethernet()
                     .ipv4("10.0.0.1", "10.0.0.2")
                     .id(1)
                     .fragment(0, true)
                     .udp(1, 2)
                     .udp_length(19)
                     .zeros(8)
                     .padded(60)));
  ASSERT_TRUE(
      d(kit::ethernet().ipv4("10.0.0.1", "10.0.0.2").id(1).fragment(16, false).protocol(17).payload("end").padded(60)));
  EXPECT_EQ(d.packet.payload_length, 11u);
}

TEST(Fragments, TheSnapLengthCutsTheDatagramNotItsCount) {
  Decoding d;
  const std::string text = letters(3000);
  const auto all = fragments(kit::ethernet(), udp_of(text), 1480);
  EXPECT_FALSE(d(all[0].cut(100)));
  EXPECT_FALSE(d(all[1].cut(100)));
  ASSERT_TRUE(d(all[2].cut(100)));
  EXPECT_EQ(d.text(), text.substr(0, 100 - 14 - 20 - 8));
  EXPECT_EQ(d.packet.payload_length, 3000u);
  EXPECT_EQ(d.packet.ip_octets, 3008u + 3 * 20);
  EXPECT_TRUE(d.packet.cut);
}

TEST(Fragments, InsideOfATunnelAreReassembled) {
  Decoding d;
  const std::string text = letters(1000);
  const auto tunnel = std::move(kit::ethernet().ipv4("192.0.2.1", "192.0.2.2").udp(9, 4789).vxlan(5).ethernet());
  const auto all = fragments(tunnel, udp_of(text), 800);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_FALSE(d(all[0]));
  EXPECT_EQ(d.count(Counter::decode_fragments_waiting), 1u);
  ASSERT_TRUE(d(all[1]));
  EXPECT_EQ(d.text(), text);
  EXPECT_EQ(d.packet.packet_count, 2);
  EXPECT_EQ(d.packet.encapsulation.tunnel_id, 5u);
}

TEST(Fragments, OfDifferentNetworksAreNotMixed) {
  Decoding d;
  const auto tunnel = [](std::uint32_t vni) {
    return std::move(kit::ethernet().ipv4("192.0.2.1", "192.0.2.2").udp(9, 4789).vxlan(vni).ethernet());
  };
  const auto one = fragments(tunnel(1), udp_of(letters(1000)), 800),
             two = fragments(tunnel(2), udp_of(letters(1000)), 800);
  EXPECT_FALSE(d(one[0]));
  EXPECT_FALSE(d(two[1]));
  EXPECT_TRUE(d(one[1]));
}

TEST(Fragments, AFragmentedTunnelIsOpenedWhenItIsWhole) {
  Decoding d;
  const std::string text = letters(1400);
  const kit::Octets gre = kit::raw_ip().gre().ipv4("172.16.0.1", "172.16.0.2").udp(7, 8).payload(text).octets();
  const auto all = fragments(kit::ethernet(), gre, 800, ip_protocol::kGre);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_FALSE(d(all[0]));
  ASSERT_TRUE(d(all[1]));
  EXPECT_EQ(d.text(), text);
  EXPECT_EQ(d.packet.encapsulation.tunnel, Tunnel::gre);
  EXPECT_EQ(d.packet.ip_octets, 1428u) << "the inner packet, which was in one piece";
  EXPECT_EQ(d.packet.packet_count, 1);
  EXPECT_FALSE(d.packet.fragmented);
}

TEST(Fragments, InsideOfAFragmentedTunnelAreReassembledToo) {
  Decoding d;
  const std::string text = letters(2000);
  std::size_t packets = 0;
  std::uint16_t id = 1;
  for (const auto& inner : kit::pieces(udp_of(text), 1200)) {
    const kit::Octets gre = kit::raw_ip()
                                .gre()
                                .ipv6("fd00::1", "fd00::2")
                                .fragment_header(9, inner.offset, inner.more)
                                .protocol(17)
                                .payload(inner.octets)
                                .octets();
    for (const auto& piece : kit::pieces(gre, 512))
      packets += d(kit::ethernet()
                       .ipv4("10.0.0.1", "10.0.0.2")
                       .id(id)
                       .fragment(piece.offset, piece.more)
                       .protocol(47)
                       .payload(piece.octets));
    ++id;
  }
  ASSERT_EQ(packets, 1u);
  EXPECT_EQ(d.text(), text);
  EXPECT_EQ(d.packet.packet_count, 2);
}

TEST(Fragments, ViewsOfABurstStayValidTogether) {
  Counters counters;
  Decoder decoder({}, counters);
  const std::string text = letters(2000);
  const auto all = fragments(kit::ethernet(), udp_of(text), 1480);
  std::vector<Packet> packets(16);
  for (Packet& p : packets) {
    EXPECT_FALSE(decoder.decode(all[0].frame(), p));
    ASSERT_TRUE(decoder.decode(all[1].frame(), p));
  }
  for (const Packet& p : packets) EXPECT_EQ(as_text(p.payload), text);
  EXPECT_NE(packets[0].payload.data(), packets[1].payload.data());
}

TEST(Fragments, AFragmentHeaderInsideOfAReassembledDatagramIsBad) {
  Decoding d;
  const kit::Octets payload = kit::raw_ip().fragment_header(3, 0, true).protocol(17).zeros(64).octets();
  const auto all = fragments(kit::ethernet(), payload, 40, 44, true);
  EXPECT_FALSE(d(all[0]));
  EXPECT_FALSE(d(all[1]));
  EXPECT_EQ(d.count(Counter::decode_fragments_bad), 1u);
}

}  // namespace
}  // namespace probe
