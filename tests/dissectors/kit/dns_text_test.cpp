// Names and record data as text.
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "dissectors/kit/dns_name.h"
#include "dissectors/kit/dns_rdata.h"
#include "dissectors/kit/ip_text.h"
#include "tests/kit/dns_builder.h"

namespace probe::dns {
namespace {

using namespace std::string_literals;
using test::be16;
using test::be32;
using test::labels;
using test::pointer;

std::string name_at(const std::string& message, std::size_t at) {
  TextBuffer<1024> room;
  TextWriter out(room);
  return read_name(as_bytes(message), at, out) == Read::good ? std::string(out.text()) : "none";
}

TEST(DnsName, IsWrittenInLowerCaseWithEscapes) {
  EXPECT_EQ(name_at(labels("Www.EXAMPLE.org"), 0), "www.example.org");
  EXPECT_EQ(name_at(labels(""), 0), ".");
  EXPECT_EQ(name_at("\x06"s + "a.b\\,\"" + '\0', 0), "a\\.b\\\\\\,\\\"");
  EXPECT_EQ(name_at("\x04"s + "a \x7f\xc3" + '\0', 0), "a\\032\\127\\195");
}

TEST(DnsName, FollowsPointersBackwardsOnly) {
  const std::string m = labels("example.org") + "\x03www" + pointer(0) + pointer(13) + pointer(21);
  EXPECT_EQ(name_at(m, 13), "www.example.org");
  EXPECT_EQ(name_at(m, 19), "www.example.org");
  EXPECT_EQ(name_at(m, 21), "none") << "points at itself";
  EXPECT_EQ(name_at(pointer(2) + labels("a"), 0), "none") << "points forward";
  EXPECT_EQ(name_at("\x01x" + pointer(0), 0), "none") << "points at the name it is in";
  EXPECT_EQ(name_at("\x01x" + pointer(0), 2), "none") << "comes back to itself";
}

TEST(DnsName, AChainOfPointersEnds) {
  std::string m = labels("a");
  for (unsigned i = 0; i < 5000; ++i) m += pointer(i == 0 ? 0 : 1 + 2 * i);
  EXPECT_EQ(name_at(m, m.size() - 2), "a");
}

TEST(DnsName, HasAtMostSixtyThreeOctetsALabelAndTwoHundredFiftyFiveInAll) {
  EXPECT_EQ(name_at("\x40" + std::string(64, 'x') + '\0', 0), "none");
  const std::string full =
      std::string(63, 'x') + "." + std::string(63, 'x') + "." + std::string(63, 'x') + "." + std::string(61, 'x');
  EXPECT_EQ(name_at(labels(full), 0), full);
  EXPECT_EQ(name_at(labels(full + "x"), 0), full + "x") << "255 octets with the root";
  EXPECT_EQ(name_at(labels(full + "xx"), 0), "none");
}

TEST(DnsName, ThatEndsTooEarlyIsCut) {
  const std::string m = labels("example.org");
  for (std::size_t n = 0; n < m.size(); ++n) {
    TextBuffer<64> room;
    TextWriter out(room);
    std::size_t at = 0, skipped = 0;
    EXPECT_EQ(read_name(as_bytes(m).first(n), at, out), Read::cut);
    EXPECT_EQ(skip_name(as_bytes(m).first(n), skipped), Read::cut);
    EXPECT_EQ(at + skipped, 0u);
  }
}

TEST(DnsName, IsSkippedUpToItsFirstPointer) {
  const std::string m = "\x03www" + pointer(0) + "x";
  std::size_t at = 0;
  EXPECT_EQ(skip_name(as_bytes(m), at), Read::good);
  EXPECT_EQ(at, 6u);
}

std::string data(unsigned type, const std::string& rdata, const std::string& before = labels("example.org"),
                 unsigned klass = 1) {
  TextBuffer<512> room;
  TextWriter out(room);
  const std::string m = before + rdata;
  write_rdata(as_bytes(m), before.size(), rdata.size(), static_cast<std::uint16_t>(type),
              static_cast<std::uint16_t>(klass), out);
  return std::string(out.text());
}

TEST(DnsData, IsWrittenAsItsTypeSays) {
  EXPECT_EQ(data(1, "\xc0\x00\x02\x01"s), "192.0.2.1");
  EXPECT_EQ(data(28, "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01"), "2001:db8::1");
  EXPECT_EQ(data(5, "\x03www" + pointer(0)), "www.example.org");
  EXPECT_EQ(data(2, labels("ns.example.org")), "ns.example.org");
  EXPECT_EQ(data(15, be16(10) + "\x04mail" + pointer(0)), "10 mail.example.org");
  EXPECT_EQ(data(16, "\x03"s + "a\"b" + "\x00"s + "\x04"s + "\xffx;,"), "\"a\\\"b\" \"\" \"\\255x;,\"");
  EXPECT_EQ(data(33, be16(1) + be16(2) + be16(5060) + labels("sip")), "1 2 5060 sip");
  EXPECT_EQ(data(6, labels("ns") + labels("admin") + be32(2024) + be32(2) + be32(3) + be32(4) + be32(4294967295)),
            "ns admin 2024 2 3 4 4294967295");
  EXPECT_EQ(data(257, "\x80\x05issueca.example"s), "128 issue \"ca.example\"");
  EXPECT_EQ(data(43, be16(60485) + "\x05\x01\x2b\xb1"), "60485 5 1 2bb1");
  EXPECT_EQ(data(48, be16(257) + "\x03\x08" + std::string(64, 'k')), "257 3 8");
  EXPECT_EQ(
      data(46, be16(28) + "\x08\x02" + be32(3600) + be32(2) + be32(1) + be16(9) + labels("org") + std::string(64, 's')),
      "AAAA 8 2 3600 2 1 9 org");
  EXPECT_EQ(data(46, be16(1234) + "\x08\x02" + be32(0) + be32(2) + be32(1) + be16(9) + labels("")),
            "TYPE1234 8 2 0 2 1 9 .");
  EXPECT_EQ(data(35, be16(1) + be16(2) + "\x01s\x03SIP\x00"s + labels("x")), "1 2 \"s\" \"SIP\" \"\" x");
  EXPECT_EQ(data(13, "\x03"s + "CPU" + "\x02OS"), "\"CPU\" \"OS\"");
}

TEST(DnsData, OfServicesHasItsParameters) {
  EXPECT_EQ(
      data(65, be16(1) + labels("") + be16(1) + be16(6) + "\x02h3\x02h2" + be16(3) + be16(2) + be16(8443) + be16(4) +
                   be16(8) + "\x01\x02\x03\x04\x05\x06\x07\x08" + be16(2) + be16(0) + be16(9) + be16(2) + "\xab\xcd"),
      "1 . alpn=\"h3,h2\" port=8443 ipv4hint=\"1.2.3.4,5.6.7.8\" no-default-alpn key9=abcd");
  EXPECT_EQ(data(64, be16(0) + labels("svc.example")), "0 svc.example");
  EXPECT_EQ(data(65, be16(1) + "\x00"s + be16(3) + be16(3) + "abc").substr(0, 5), "\\# 10") << "half a port";
  EXPECT_EQ(data(65, be16(1) + "\x00"s + be16(3) + be16(9) + "ab").substr(0, 4), "\\# 9") << "a length beyond the end";
}

TEST(DnsData, ThatDoesNotFitItsTypeIsWrittenInHexadecimal) {
  EXPECT_EQ(data(1, "\x01\x02\x03"s), "\\# 3 010203");
  EXPECT_EQ(data(1, ""), "\\# 0");
  EXPECT_EQ(data(1,
                 "\x03"
                 "abc"
                 "\x00\x01\x02"s,
                 "", 3),
            "\\# 7 03616263000102")
      << "an address of CHAOS";
  EXPECT_EQ(data(16,
                 "\x05"
                 "abc"),
            "\\# 4 05616263")
      << "a string beyond the end";
  EXPECT_EQ(data(5,
                 "\x05"
                 "abc"),
            "\\# 4 05616263");
  EXPECT_EQ(data(5, pointer(13)), "\\# 2 c00d") << "a pointer to itself";
  EXPECT_EQ(data(65400, "\xde\xad"), "\\# 2 dead");
}

std::string six(const std::array<std::uint8_t, 16>& a) {
  TextBuffer<64> room;
  TextWriter out(room);
  write_ipv6(a, out);
  return std::string(out.text());
}

TEST(IpText, FollowsRfc5952) {
  EXPECT_EQ(six({}), "::");
  EXPECT_EQ(six({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}), "::1");
  EXPECT_EQ(six({0x20, 1}), "2001::");
  EXPECT_EQ(six({0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}), "2001:db8:0:1:1:1:1:1")
      << "a single zero stays";
  EXPECT_EQ(six({0x20, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}), "2001:0:0:1::1") << "the longest run";
  EXPECT_EQ(six({0x20, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1}), "2001::1:1:0:0:1") << "the first of equals";
  EXPECT_EQ(six({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1}), "::ffff:192.0.2.1");
  EXPECT_EQ(six({0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0xab, 0xcd, 0, 0, 0, 0, 0, 0}), "fe80::abcd:0:0:0")
      << "the first of equals";
}

}  // namespace
}  // namespace probe::dns
