#include "exporter/transport/url.h"

#include <gtest/gtest.h>

namespace probe {
namespace {

std::string complaint(std::string_view text) {
  try {
    parse_url(text);
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "";
}

TEST(Url, NamesAHostAndAPort) {
  const Url u = parse_url("udp://collector.example:4739");
  EXPECT_EQ(u.scheme, Url::Scheme::udp);
  EXPECT_EQ(u.host, "collector.example");
  EXPECT_EQ(u.port, "4739");
  EXPECT_TRUE(u.network());
}

TEST(Url, TakesAnIpv6AddressInBrackets) {
  const Url u = parse_url("tcp://[2001:db8::1]:4739?profile=basic&queue=100000");
  EXPECT_EQ(u.scheme, Url::Scheme::tcp);
  EXPECT_EQ(u.host, "2001:db8::1");
  EXPECT_EQ(u.port, "4739");
  EXPECT_EQ(u.options.at("profile"), "basic");
  EXPECT_EQ(number_option(u, "queue", 1, 1, 1'000'000), 100'000u);
  EXPECT_EQ(number_option(u, "rate", 7, 1, 10), 7u);
}

TEST(Url, AListenerNeedsNoHost) { EXPECT_EQ(parse_url("udp://:4739").host, ""); }

TEST(Url, TakesAPath) {
  EXPECT_EQ(parse_url("file:/tmp/a.ipfix").path, "/tmp/a.ipfix");
  EXPECT_EQ(parse_url("file:///tmp/a.ipfix").path, "/tmp/a.ipfix");
  EXPECT_EQ(parse_url("file:a.ipfix?profile=basic").path, "a.ipfix");
  EXPECT_EQ(parse_url("null:").scheme, Url::Scheme::null);
}

TEST(Url, SaysWhatIsWrong) {
  EXPECT_NE(complaint("http://a:1").find("is not a target"), std::string::npos);
  EXPECT_NE(complaint("udp://a").find("has no port"), std::string::npos);
  EXPECT_NE(complaint("udp://a:").find("has no port"), std::string::npos);
  EXPECT_NE(complaint("udp://a:70000").find("not a number from 0 to 65535"), std::string::npos);
  EXPECT_NE(complaint("udp://a:http").find("not a number"), std::string::npos);
  EXPECT_NE(complaint("udp://2001:db8::1:4739").find("brackets"), std::string::npos);
  EXPECT_NE(complaint("udp://[2001:db8::1").find("without a \"]\""), std::string::npos);
  EXPECT_NE(complaint("udp://[::1]4739").find("between"), std::string::npos);
  EXPECT_NE(complaint("udp://[::1]").find("has no port"), std::string::npos);
  EXPECT_NE(complaint("file:").find("no path"), std::string::npos);
  EXPECT_NE(complaint("udp://a:1?profile").find("KEY=VALUE"), std::string::npos);
  EXPECT_NE(complaint("udp://a:1?a=1&a=2").find("twice"), std::string::npos);
  EXPECT_NE(complaint("").find("is not a target"), std::string::npos);
  EXPECT_NE(complaint("null:x").find("is not a target"), std::string::npos);
}

TEST(Url, ANumberMustBeOneAndInRange) {
  for (const char* text : {"udp://a:1?rate=x", "udp://a:1?rate=", "udp://a:1?rate=11", "udp://a:1?rate=-1"})
    EXPECT_THROW(number_option(parse_url(text), "rate", 1, 1, 10), std::runtime_error) << text;
}

}  // namespace
}  // namespace probe
