#include "probe/live/duplicates.h"

#include <gtest/gtest.h>

#include "tests/kit/packet_builder.h"

namespace probe::live {
namespace {

constexpr Nanos kWindow = kMillisecond;

kit::PacketBuilder request(LinkType link = LinkType::ethernet) {
  kit::PacketBuilder b(link);
  if (link == LinkType::ethernet) b.ethernet();
  b.ipv4("10.0.0.1", "10.0.0.2").id(7).tcp(4242, 80).seq(1).payload("GET /");
  return b;
}

struct Looking {
  Duplicates duplicates{kWindow};
  bool operator()(const kit::BuiltFrame& f) { return duplicates.is_one(f.frame()); }
};

TEST(Duplicates, AreFoundWithinTheWindow) {
  Looking is_one;
  EXPECT_FALSE(is_one(request().time(kSecond).build()));
  EXPECT_TRUE(is_one(request().time(kSecond + kWindow).build()));
  EXPECT_FALSE(is_one(request().time(kSecond + kWindow + 1).build())) << "this one is new, and the next one its copy";
  EXPECT_TRUE(is_one(request().time(kSecond + 2 * kWindow).build()));
  EXPECT_TRUE(is_one(request().time(kSecond + kWindow).build())) << "copies may come out of order";
}

TEST(Duplicates, TagsAddressesPaddingAndTtlDoNotCount) {
  Looking is_one;
  EXPECT_FALSE(is_one(request().time(kSecond).build()));
  kit::PacketBuilder tagged(LinkType::ethernet);
  tagged.add(kit::Ethernet{9, 8})
      .vlan(7)
      .ipv4("10.0.0.1", "10.0.0.2")
      .id(7)
      .ttl(63)
      .tcp(4242, 80)
      .seq(1)
      .payload("GET /");
  EXPECT_TRUE(is_one(tagged.time(kSecond + 1).build()));
  EXPECT_TRUE(is_one(request().time(kSecond + 2).padded(80)));
  EXPECT_TRUE(is_one(request(LinkType::raw_ip).time(kSecond + 3).build()));
}

TEST(Duplicates, EverythingElseDoes) {
  Looking is_one;
  EXPECT_FALSE(is_one(request().time(kSecond).build()));
  const auto other = [&](auto&& change) {
    kit::PacketBuilder b(LinkType::ethernet);
    kit::Ipv4 ip{"10.0.0.1", "10.0.0.2"};
    ip.id = 7;
    kit::Tcp tcp{4242, 80, 1};
    std::string text = "GET /";
    change(ip, tcp, text);
    return b.ethernet().add(ip).add(tcp).payload(text).time(kSecond + 1).build();
  };
  EXPECT_TRUE(is_one(other([](auto&, auto&, auto&) {})));
  EXPECT_FALSE(is_one(other([](auto& ip, auto&, auto&) { ip.id = 8; }))) << "a retransmission";
  EXPECT_FALSE(is_one(other([](auto& ip, auto&, auto&) { ip.to = "10.0.0.3"; })));
  EXPECT_FALSE(is_one(other([](auto&, auto& tcp, auto&) { tcp.seq = 2; })));
  EXPECT_FALSE(is_one(other([](auto&, auto& tcp, auto&) { tcp.flags = 0x18; })));
  EXPECT_FALSE(is_one(other([](auto&, auto&, auto& text) { text = "GET ?"; })));
  EXPECT_FALSE(is_one(other([](auto&, auto&, auto& text) { text = "GET /a"; })));
}

TEST(Duplicates, AreFoundInIpv6) {
  Looking is_one;
  const auto query = [](std::uint8_t hops, std::string_view text) {
    kit::PacketBuilder b(LinkType::ethernet);
    return b.ethernet().ipv6("2001:db8::1", "2001:db8::2").ttl(hops).udp(5353, 53).payload(text).time(kSecond).build();
  };
  EXPECT_FALSE(is_one(query(64, "a")));
  EXPECT_FALSE(is_one(query(64, "b")));
  EXPECT_TRUE(is_one(query(63, "a")));
}

TEST(Duplicates, AreNotLookedForWithoutAWindowOrAnIpPacket) {
  Duplicates off(0);
  const kit::BuiltFrame f = request().build();
  EXPECT_FALSE(off.is_one(f.frame()));
  EXPECT_FALSE(off.is_one(f.frame()));
  Looking is_one;
  for (const std::size_t length : {0u, 13u, 14u, 33u}) {
    EXPECT_FALSE(is_one(f.cut(length))) << length;
    EXPECT_FALSE(is_one(f.cut(length))) << length;
  }
  kit::PacketBuilder arp(LinkType::ethernet);
  arp.add(kit::Ethernet{1, 2, 0x0806}).zeros(46);
  EXPECT_FALSE(is_one(arp.build()));
  EXPECT_FALSE(is_one(arp.build()));
}

TEST(Duplicates, TheOldestAreForgottenWhenThereAreTooMany) {
  Looking is_one;
  const auto nth = [](std::uint32_t n) {
    kit::PacketBuilder b(LinkType::ethernet);
    return b.ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(4242, 80).seq(n).time(kSecond + n).build();
  };
  for (std::uint32_t n = 0; n < 100'000; ++n) EXPECT_FALSE(is_one(nth(n)));
  int found = 0;
  for (std::uint32_t n = 99'000; n < 100'000; ++n) found += is_one(nth(n)) ? 1 : 0;
  EXPECT_EQ(found, 1000) << "newest";
  EXPECT_FALSE(is_one(nth(0)));
}

}  // namespace
}  // namespace probe::live
