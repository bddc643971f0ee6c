#include "probe/live/filter.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/kit/allocations.h"
#include "tests/kit/packet_builder.h"

namespace probe::live {
namespace {

const kit::BuiltFrame kDns = kit::ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(4242, 53).payload("question").build();
const kit::BuiltFrame kWeb = kit::ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(4242, 80).payload("GET /").build();
const kit::BuiltFrame kTagged =
    kit::ethernet().vlan(7).ipv4("10.0.0.1", "10.0.0.2").tcp(4242, 80).payload("GET /").build();

bool passes(const char* expression, const kit::BuiltFrame& f) { return Filter(expression).passes(f.frame()); }

std::string refusal(const char* expression) {
  try {
    Filter f(expression);
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "";
}

TEST(Filter, LetsEverythingPassWithoutAnExpression) {
  kit::BuiltFrame unknown = kDns;
  unknown.link = LinkType::unknown;
  for (const char* nothing : {"", "  \n"}) {
    EXPECT_TRUE(passes(nothing, kDns));
    EXPECT_TRUE(passes(nothing, unknown));
  }
  EXPECT_TRUE(Filter().passes(kWeb.frame()));
}

TEST(Filter, LeavesOutWhatTheExpressionDoesNotMean) {
  EXPECT_TRUE(passes("udp port 53", kDns));
  EXPECT_FALSE(passes("udp port 53", kWeb));
  EXPECT_TRUE(passes("not udp port 53 and net 10.0.0.0/8", kWeb));
  EXPECT_FALSE(passes("host 10.0.0.3", kWeb));
}

TEST(Filter, SeesBehindTagsOnlyWhatStandsBehindTheWordVlan) {
  EXPECT_FALSE(passes("port 80", kTagged));
  EXPECT_TRUE(passes("vlan and port 80", kTagged));
  EXPECT_TRUE(passes("vlan 7", kTagged));
  EXPECT_FALSE(passes("vlan 8", kTagged));
  for (const kit::BuiltFrame& f : {kTagged, kWeb}) EXPECT_TRUE(passes("port 80 or (vlan and port 80)", f));
}

TEST(Filter, TakesLengthFromTheWireAndOctetsFromTheCapture) {
  const kit::BuiltFrame long_one =
      kit::ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(4242, 80).payload(std::string(1000, 'x')).build();
  const kit::BuiltFrame cut = long_one.cut(60);
  EXPECT_EQ(cut.frame().octets.size(), 60u);
  EXPECT_TRUE(passes("greater 1000", cut));
  EXPECT_FALSE(passes("less 100", cut));
  EXPECT_TRUE(passes("tcp port 80", cut));
  EXPECT_FALSE(passes("ether[500] = 0x78", cut)) << "what was not captured cannot match";
  EXPECT_TRUE(passes("ether[500] = 0x78", long_one));
}

TEST(Filter, FindsIpInEveryLinkType) {
  const auto tcp = [](kit::PacketBuilder b) { return b.ipv4("10.0.0.1", "10.0.0.2").tcp(4242, 80).build(); };
  const auto tcp6 = [](kit::PacketBuilder b) { return b.ipv6("fd00::1", "fd00::2").tcp(4242, 80).build(); };
  const kit::PacketBuilder below[] = {
      kit::ethernet(),
      kit::raw_ip(),
      kit::PacketBuilder(LinkType::linux_cooked_v1).add(kit::LinuxCooked{1}),
      kit::PacketBuilder(LinkType::linux_cooked_v2).add(kit::LinuxCooked{2}),
      kit::PacketBuilder(LinkType::ppp).add(kit::Ppp{true}),
      kit::PacketBuilder(LinkType::ppp).add(kit::Ppp{false}),
  };
  for (const kit::PacketBuilder& b : below) {
    for (const kit::BuiltFrame& f : {tcp(b), tcp6(b)}) {
      EXPECT_TRUE(passes("tcp port 80", f)) << static_cast<int>(f.link);
      EXPECT_FALSE(passes("udp port 80", f)) << static_cast<int>(f.link);
      EXPECT_FALSE(passes("tcp port 81", f)) << static_cast<int>(f.link);
    }
  }
}

TEST(Filter, FindsIpBehindTheAddressFamiliesOfEverySystem) {
  for (const bool big_endian : {false, true}) {
    for (const LinkType link : {LinkType::bsd_null, LinkType::bsd_loop}) {
      for (const std::uint8_t inet6 : {10, 24, 28, 30}) {
        const kit::BuiltFrame f = kit::PacketBuilder(link)
                                      .add(kit::BsdFamily{inet6, big_endian})
                                      .ipv6("fd00::1", "fd00::2")
                                      .tcp(4242, 80)
                                      .build();
        EXPECT_TRUE(passes("ip6 and tcp port 80", f));
        EXPECT_FALSE(passes("udp", f));
      }
    }
  }
}

TEST(Filter, LetsNothingPassThatIsCutBeforeItsIp) {
  for (const LinkType link : {LinkType::bsd_null, LinkType::bsd_loop, LinkType::ppp, LinkType::ethernet,
                              LinkType::raw_ip, LinkType::linux_cooked_v1, LinkType::linux_cooked_v2}) {
    kit::BuiltFrame f = kWeb;
    f.link = link;
    for (std::size_t octets = 0; octets < 14; ++octets) EXPECT_FALSE(passes("ip or ip6", f.cut(octets)));
  }
}

TEST(Filter, SaysForWhichLinkTypesAnExpressionMeansNothing) {
  const Filter f("ether host 02:00:00:00:00:01");
  EXPECT_EQ(f.objection(LinkType::ethernet), "");
  EXPECT_NE(f.objection(LinkType::raw_ip), "");
  EXPECT_TRUE(f.passes(kWeb.frame()));
  EXPECT_FALSE(f.passes(kit::raw_ip().ipv4("10.0.0.1", "10.0.0.2").tcp(1, 2).build().frame()));
}

TEST(Filter, RefusesWithTheExpressionAndItsMistake) {
  const std::string what = refusal("tcp prot 80");
  EXPECT_NE(what.find("\"tcp prot 80\""), std::string::npos) << what;
  EXPECT_NE(what.find("syntax error"), std::string::npos) << what;
  EXPECT_NE(refusal("net 10.0.0.1/8"), "");
  EXPECT_NE(refusal("port 99999"), "");
  EXPECT_EQ(refusal("port 80"), "");
}

TEST(Filter, OutlivesTheOneItWasCopiedFrom) {
  Filter copy;
  {
    const Filter f("udp");
    copy = f;
  }
  EXPECT_TRUE(copy.passes(kDns.frame()));
  EXPECT_FALSE(copy.passes(kWeb.frame()));
}

TEST(Filter, AsksNothingOfTheHeap) {
  const Filter f("tcp port 80 or (vlan and tcp port 80)");
  const std::uint64_t before = kit::allocations();
  std::size_t passed = 0;
  for (int i = 0; i < 100; ++i) passed += f.passes(kTagged.frame()) + f.passes(kDns.frame());
  EXPECT_EQ(passed, 100u);
  EXPECT_EQ(kit::allocations(), before);
}

}  // namespace
}  // namespace probe::live
