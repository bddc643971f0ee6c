#include "probe/packet/quote.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/probe/packet/decoding.h"

namespace probe {
namespace {

constexpr std::uint8_t kUnreachable = 3, kTooBig6 = 2;
constexpr const char *kHost = "10.0.0.1", *kServer = "192.0.2.7", *kRouter = "203.0.113.1";

// An error of a router to kHost, with what it quotes cut to so many octets.
kit::PacketBuilder error4(std::uint8_t type, std::uint8_t code, kit::PacketBuilder quoted, std::size_t octets,
                          std::uint32_t rest = 0) {
  kit::Octets o = quoted.octets();
  o.resize(std::min(octets, o.size()));
  return std::move(kit::ethernet().ipv4(kRouter, kHost).icmp(type, code, rest).payload(std::move(o)));
}
kit::PacketBuilder quoted_udp() { return std::move(kit::raw_ip().ipv4(kHost, kServer).udp(5000, 53).zeros(100)); }

FlowKey key_of(const kit::PacketBuilder& b) {
  Decoding d;
  kit::BuiltFrame f = b.build();
  f.link = LinkType::raw_ip;
  EXPECT_TRUE(d(f));
  return d.packet.key;
}

TEST(Quote, HasTheKeyOfTheFlowThatItIsAbout) {
  Decoding d;
  ASSERT_TRUE(d(error4(kUnreachable, 3, quoted_udp(), 128)));
  ASSERT_TRUE(is_icmp_error(d.packet));
  Quote q;
  ASSERT_TRUE(read_quote(d.packet, q));
  EXPECT_EQ(q.key, key_of(quoted_udp()));
  EXPECT_FALSE(q.from_high) << "10.0.0.1 sent it";
  EXPECT_EQ(q.error, IcmpError::port_unreachable);
  EXPECT_EQ(q.type_code, 0x0303);
}

TEST(Quote, EightOctetsOfTransportAreEnoughAndThreeAreNot) {
  Decoding d;
  Quote q;
  ASSERT_TRUE(d(error4(kUnreachable, 1, quoted_udp(), 28)));
  EXPECT_TRUE(read_quote(d.packet, q));
  EXPECT_EQ(q.error, IcmpError::host_unreachable);
  ASSERT_TRUE(d(error4(kUnreachable, 1, quoted_udp(), 23)));
  EXPECT_FALSE(read_quote(d.packet, q));
}

TEST(Quote, NoLengthOfItIsReadBeyondItsEnd) {
  Quote q;
  for (std::size_t n = 0; n <= 40; ++n) {
    Decoding d;
    auto quoted = kit::raw_ip().ipv4(kHost, kServer).ip_options(kit::Octets(8, 1)).tcp(4242, 80).zeros(4);
    ASSERT_TRUE(d(error4(11, 0, quoted, n)));
    EXPECT_EQ(read_quote(d.packet, q), n >= 32) << n;
  }
}

TEST(Quote, AnyOctetsAreReadSafely) {
  std::mt19937 random(7);
  Quote q;
  for (int i = 0; i < 20'000; ++i) {
    kit::Octets o(random() % 80);
    for (auto& octet : o) octet = static_cast<std::uint8_t>(random());
    if (!o.empty() && i % 2 == 0) o[0] = i % 4 == 0 ? 0x45 : 0x60;
    Decoding d;
    const bool v6 = i % 4 == 2;
    ASSERT_TRUE(d(v6 ? kit::ethernet().ipv6("2001:db8::9", "2001:db8::1").icmpv6(kTooBig6).payload(o)
                     : kit::ethernet().ipv4(kRouter, kHost).icmp(kUnreachable, 4).payload(o)));
    EXPECT_TRUE(!read_quote(d.packet, q) || q.key.ip_version == (v6 ? 6 : 4));
  }
}

TEST(Quote, TellsTheMtuOfTheNextLink) {
  Decoding d;
  Quote q;
  ASSERT_TRUE(d(error4(kUnreachable, 4, quoted_udp(), 28, 0xabcd05dc)));
  ASSERT_TRUE(read_quote(d.packet, q));
  EXPECT_EQ(q.error, IcmpError::too_big);
  EXPECT_EQ(q.mtu, 1500u) << "the upper half is unused (RFC 1191 §4)";
  auto quoted = kit::raw_ip().ipv6("2001:db8::1", "2001:db8::2").tcp(4242, 443).zeros(8);
  ASSERT_TRUE(d(kit::ethernet().ipv6("2001:db8::9", "2001:db8::1").icmpv6(2, 0, 1280).payload(quoted.octets())));
  ASSERT_TRUE(read_quote(d.packet, q));
  EXPECT_EQ(q.key, key_of(quoted));
  EXPECT_EQ(q.mtu, 1280u);
}

TEST(Quote, ALaterFragmentTellsNoFlow) {
  Decoding d;
  Quote q;
  ASSERT_TRUE(d(error4(kUnreachable, 1, kit::raw_ip().ipv4(kHost, kServer).fragment(0, true).udp(5000, 53), 28)));
  EXPECT_TRUE(read_quote(d.packet, q));
  ASSERT_TRUE(d(error4(kUnreachable, 1, kit::raw_ip().ipv4(kHost, kServer).fragment(8, true).udp(5000, 53), 28)));
  EXPECT_FALSE(read_quote(d.packet, q));
}

TEST(Quote, ExtensionHeadersOfIpv6ArePassed) {
  Decoding d;
  Quote q;
  auto quoted = kit::raw_ip().ipv6("2001:db8::1", "2001:db8::2").extension(60, 1).udp(5000, 53).zeros(8);
  ASSERT_TRUE(d(kit::ethernet().ipv6("2001:db8::9", "2001:db8::1").icmpv6(3).payload(quoted.octets())));
  ASSERT_TRUE(read_quote(d.packet, q));
  EXPECT_EQ(q.key.protocol, ip_protocol::kUdp);
  EXPECT_EQ(q.key.low_port, 5000);
  EXPECT_EQ(q.error, IcmpError::time_exceeded);
}

TEST(Quote, KnowsWhatIsAnError) {
  Decoding d;
  for (const auto& [type, is] : {std::pair{0, false}, {3, true}, {5, false}, {8, false}, {11, true}, {12, true}}) {
    ASSERT_TRUE(d(kit::ethernet().ipv4(kRouter, kHost).icmp(static_cast<std::uint8_t>(type)).zeros(8)));
    EXPECT_EQ(is_icmp_error(d.packet), is) << type;
  }
  ASSERT_TRUE(d(kit::ethernet().ipv6("2001:db8::9", "2001:db8::1").icmpv6(135).zeros(8)));
  EXPECT_FALSE(is_icmp_error(d.packet));
  ASSERT_TRUE(d(kit::ethernet().ipv4(kRouter, kHost).udp(771, 3).zeros(8)));
  EXPECT_FALSE(is_icmp_error(d.packet));
}

TEST(Quote, CodesFallIntoClasses) {
  const std::pair<int, IcmpError> codes[] = {{0, IcmpError::host_unreachable}, {2, IcmpError::port_unreachable},
                                             {13, IcmpError::prohibited},      {12, IcmpError::host_unreachable},
                                             {4, IcmpError::too_big},          {200, IcmpError::host_unreachable}};
  for (const auto& [code, error] : codes) {
    Decoding d;
    Quote q;
    ASSERT_TRUE(d(error4(kUnreachable, static_cast<std::uint8_t>(code), quoted_udp(), 28)));
    ASSERT_TRUE(read_quote(d.packet, q));
    EXPECT_EQ(q.error, error) << code;
  }
}

}  // namespace
}  // namespace probe
