#include "probe/packet/decoder.h"

#include <gtest/gtest.h>

#include "tests/kit/allocations.h"
#include "tests/probe/packet/decoding.h"

namespace probe {
namespace {

TEST(Decoder, BothDirectionsHaveOneKeyAndHash) {
  Decoding there, back;
  ASSERT_TRUE(there(kit::ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(4242, 80)));
  ASSERT_TRUE(back(kit::ethernet().ipv4("10.0.0.2", "10.0.0.1").tcp(80, 4242)));
  EXPECT_EQ(there.packet.key, back.packet.key);
  EXPECT_EQ(there.packet.hash, back.packet.hash);
  EXPECT_FALSE(there.packet.from_high);
  EXPECT_TRUE(back.packet.from_high);
  EXPECT_EQ(there.packet.key.low_address.low, 0x0a000001u);
  EXPECT_EQ(there.packet.key.low_port, 4242);
}

TEST(Decoder, PortsDecideBetweenEqualAddresses) {
  Decoding d;
  ASSERT_TRUE(d(kit::ethernet().ipv6("::1", "::1").tcp(5000, 80)));
  EXPECT_TRUE(d.packet.from_high);
  EXPECT_EQ(d.packet.key.low_port, 80);
}

TEST(Decoder, AddressesOfIpv6CompareByTheirHighHalfFirst) {
  Decoding d;
  ASSERT_TRUE(d(kit::ethernet().ipv6("2001:db8:0:2::1", "2001:db8:0:1::2").udp(1, 2)));
  EXPECT_TRUE(d.packet.from_high);
}

TEST(Decoder, CopiesTimeAndPortOfTheFrame) {
  Decoding d;
  kit::BuiltFrame f = kit::ethernet().ipv4("1.1.1.1", "2.2.2.2").udp(1, 2).time(1234567890123456789).build();
  f.port = 3;
  ASSERT_TRUE(d(f));
  EXPECT_EQ(d.packet.time, 1234567890123456789);
  EXPECT_EQ(d.packet.port, 3);
}

TEST(Decoder, VlansAreInTheKeyOnlyIfAsked) {
  const auto in = [](std::uint16_t vlan) {
    return kit::ethernet().vlan(vlan).ipv4("1.1.1.1", "2.2.2.2").udp(1, 2).build();
  };
  for (const bool asked : {false, true}) {
    Decoding a({.vlan_in_key = asked}), b({.vlan_in_key = asked});
    ASSERT_TRUE(a(in(7)));
    ASSERT_TRUE(b(in(8)));
    EXPECT_EQ(a.packet.key == b.packet.key, !asked);
    ASSERT_TRUE(a(in(0xe007)));
    ASSERT_TRUE(b(in(7)));
    EXPECT_EQ(a.packet.key, b.packet.key) << "the priority is no part of the VLAN id";
  }
}

TEST(Decoder, NothingOfOneEncapsulationStaysForTheNext) {
  Decoding d;
  ASSERT_TRUE(d(kit::ethernet()
                    .vlan(3)
                    .mpls(5)
                    .ipv4("1.1.1.1", "2.2.2.2")
                    .udp(9, 4789)
                    .vxlan(5)
                    .ethernet()
                    .ipv4("3.3.3.3", "4.4.4.4")
                    .udp(1, 2)));
  ASSERT_TRUE(d(kit::raw_ip().ipv4("1.1.1.1", "2.2.2.2").udp(1, 2)));
  const Encapsulation& e = d.packet.encapsulation;
  EXPECT_FALSE(e.has_mac);
  EXPECT_EQ(e.vlan_count + e.mpls_count, 0);
  EXPECT_EQ(e.tunnel, Tunnel::none);
  EXPECT_FALSE(e.has_tunnel_id);
}

// Each false answer is one counter, each true one is decode_packets; nothing else adds up to the frames.
TEST(Decoder, EveryPrefixOfAFrameIsDecodedOrCountedOnce) {
  const auto whole =
      kit::ethernet().vlan(3).mpls(9).ipv6("::1", "::2").extension(60).tcp(1, 2).timestamps(1, 2).zeros(20).build();
  Decoding d;
  std::uint64_t frames = 0;
  for (std::size_t n = 0; n <= whole.octets.size(); ++n) {
    for (const bool short_on_wire : {false, true}) {
      kit::BuiltFrame f = whole.cut(n);
      if (short_on_wire) f.wire_length = static_cast<std::uint32_t>(n);
      d(f);
      ++frames;
    }
  }
  std::uint64_t counted = 0;
  for (const Counter c :
       {Counter::decode_packets, Counter::decode_link_cut, Counter::decode_link_bad, Counter::decode_not_ip,
        Counter::decode_ip_cut, Counter::decode_ip_bad, Counter::decode_transport_cut, Counter::decode_transport_bad})
    counted += d.count(c);
  EXPECT_EQ(counted, frames);
  EXPECT_GT(d.count(Counter::decode_packets), 60u);
}

TEST(Decoder, AsksNothingOfTheHeapOnceItStands) {
  std::vector<kit::BuiltFrame> frames = {
      kit::ethernet().ipv4("1.1.1.1", "2.2.2.2").tcp(1, 2).timestamps(1, 2).build(),
      kit::ethernet().ipv4("1.1.1.1", "2.2.2.2").udp(9, 4789).vxlan(5).ethernet().ipv6("::1", "::2").udp(1, 2).build(),
      kit::ethernet().payload("not IP").build()};
  const kit::Octets datagram = kit::raw_ip().udp(1, 2).zeros(5000).octets();
  for (const std::uint16_t id : {1, 2, 3})
    for (const auto& piece : kit::pieces(datagram, id == 3 ? 4000 : 1480))
      frames.push_back(kit::ethernet()
                           .ipv4("1.1.1.1", "2.2.2.2")
                           .id(id)
                           .fragment(piece.offset, piece.more)
                           .protocol(17)
                           .payload(piece.octets)
                           .build());
  Counters counters;
  Decoder decoder({.fragment_datagrams = 1}, counters);
  Packet packet;
  const std::uint64_t before = kit::allocations();
  for (int round = 0; round < 3; ++round) {
    decoder.new_burst();
    for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) decoder.decode(frame->frame(), packet);
  }
  EXPECT_EQ(kit::allocations(), before);
  EXPECT_GT(counters[Counter::decode_datagrams_reassembled], 0u);
  EXPECT_GT(kit::allocations(), 0u) << "the counter counts";
}

TEST(Decoder, WireLengthsBelowTheCapturedOnesAreNotBelieved) {
  Decoding d;
  kit::BuiltFrame f = kit::ethernet().ipv4("1.1.1.1", "2.2.2.2").udp(1, 2).payload("hello").build();
  f.wire_length = 3;
  ASSERT_TRUE(d(f));
  EXPECT_EQ(d.text(), "hello");
}

}  // namespace
}  // namespace probe
