#include "exporter/text/json_lines.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/exporter/samples.h"
#include "tests/kit/made_record.h"

namespace probe {
namespace {

using Json = nlohmann::json;

std::string line_of(const Record& r) {
  std::string out;
  append_json(r, out);
  return out;
}

TEST(JsonLines, IsOneObjectALineThatBeginsWithItsKind) {
  kit::RecordMaker maker;
  const auto r = maker.make<"http">();
  EXPECT_EQ(line_of(*r), "{\"record\":\"http\",\"flowId\":7,\"protocolIdentifier\":6}\n");
}

TEST(JsonLines, LeavesOutWhatWasNotMeasured) {
  kit::RecordMaker maker;
  const auto r = maker.make<"flow">();
  kit::count_flow(*r, 3, 0);
  const Json j = Json::parse(line_of(*r));
  EXPECT_EQ(j["octetDeltaCount"], 0) << "a measured 0 is there";
  EXPECT_FALSE(j.contains("tcpServerHandshakeRttMicroseconds"));
  EXPECT_FALSE(j.contains("sourceIPv4Address"));
}

TEST(JsonLines, EscapesWhatJsonAsksFor) {
  kit::RecordMaker maker;
  const auto r = maker.make<"http">();
  set_in<"httpRequestMethod">(*r, std::string_view("GET"));
  set_in<"httpRequestTarget">(*r, std::string_view("/\"\\\b\n\x1f\x7f/\xc3\xa4\xf0\x9f\x98\x80", 14));
  const std::string line = line_of(*r);
  EXPECT_NE(line.find("/\\\"\\\\\\u0008\\u000a\\u001f\\u007f/\xc3\xa4\xf0\x9f\x98\x80\""), std::string::npos) << line;
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(Json::parse(line)["httpRequestTarget"], "/\"\\\b\n\x1f\x7f/\xc3\xa4\xf0\x9f\x98\x80");
}

TEST(JsonLines, WritesWhatIsNoTextAsPeopleWriteIt) {
  kit::RecordMaker maker;
  const auto r = maker.make<"flow">();
  kit::count_flow(*r, 1, 40);
  set_in<"sourceIPv4Address">(*r, std::uint32_t{0xc0000201});
  set_in<"destinationIPv4Address">(*r, std::uint32_t{0xffffffff});
  set_in<"sourceMacAddress">(*r, std::array<std::uint8_t, 6>{0, 0x1b, 0xff, 3, 4, 0xa5});
  set_in<"destinationMacAddress">(*r, std::array<std::uint8_t, 6>{});
  set_in<"mplsTopLabelStackSection">(*r, std::array<std::uint8_t, 3>{0x12, 0x34, 0x51});
  const Json j = Json::parse(line_of(*r));
  EXPECT_EQ(j["sourceIPv4Address"], "192.0.2.1");
  EXPECT_EQ(j["destinationIPv4Address"], "255.255.255.255");
  EXPECT_EQ(j["sourceMacAddress"], "00:1b:ff:03:04:a5");
  EXPECT_EQ(j["destinationMacAddress"], "00:00:00:00:00:00");
  EXPECT_EQ(j["mplsTopLabelStackSection"], "123451");
  EXPECT_EQ(j["flowStartMilliseconds"], 1'700'000'000'000);
  EXPECT_EQ(j["flowEndMicroseconds"], 1'700'000'001'000'000);
}

TEST(JsonLines, WritesIpv6AsRfc5952Wants) {
  kit::RecordMaker maker;
  const auto r = maker.make<"dns">();
  std::array<std::uint8_t, 16> a{0x20, 0x01, 0x0d, 0xb8};
  a[15] = 1;
  set_in<"sourceIPv6Address">(*r, a);
  set_in<"destinationIPv6Address">(*r, std::array<std::uint8_t, 16>{});
  const Json j = Json::parse(line_of(*r));
  EXPECT_EQ(j["sourceIPv6Address"], "2001:db8::1");
  EXPECT_EQ(j["destinationIPv6Address"], "::");
}

TEST(JsonLines, KeepsLargeNumbersWhole) {
  kit::RecordMaker maker;
  const auto r = maker.make<"flow">();
  kit::count_flow(*r, 1, 0xffffffffffffffff);
  EXPECT_EQ(Json::parse(line_of(*r))["octetDeltaCount"].get<std::uint64_t>(), 0xffffffffffffffff);
}

TEST(JsonLines, EveryRecordIsJsonWithAllOfItsElements) {
  RecordPools pools(samples::slots(1));
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    const std::size_t kind = random() % schema::kKindCount;
    const schema::Groups groups = samples::random_groups(random, kind);
    Record* r = samples::make(pools, random, kind, groups);
    ASSERT_NE(r, nullptr);
    const Json j = Json::parse(line_of(*r));
    EXPECT_EQ(j["record"], schema::kKinds[kind].name);
    std::size_t expected = 1;
    for (const auto& [name, value] : samples::values_of(*r, samples::native_groups(*r))) {
      ++expected;
      EXPECT_TRUE(j.contains(name)) << name;
    }
    EXPECT_GE(j.size(), expected) << "more than fits into a template is still in JSON";
    pools.give(r);
  }
}

TEST(JsonLines, WritesAFile) {
  const std::string path = testing::TempDir() + "json_lines_test.jsonl";
  kit::RecordMaker maker;
  const auto r = maker.make<"http">();
  {
    JsonLines out(path);
    for (int i = 0; i < 20'000; ++i) out.put(*r);
    out.finish();
  }
  std::ifstream in(path);
  std::string line, expected = line_of(*r);
  expected.pop_back();
  int lines = 0;
  for (; std::getline(in, line); ++lines) ASSERT_EQ(line, expected);
  EXPECT_EQ(lines, 20'000);
  std::remove(path.c_str());
}

TEST(JsonLines, SaysThatAFileCannotBeWritten) {
  try {
    JsonLines out("/nowhere/records.jsonl");
    FAIL();
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "cannot write /nowhere/records.jsonl: No such file or directory");
  }
}

TEST(JsonLines, SaysThatTheDiskIsFull) {
  kit::RecordMaker maker;
  const auto r = maker.make<"http">();
  JsonLines out("/dev/full");
  out.put(*r);
  EXPECT_THROW(out.finish(), std::runtime_error);
}

}  // namespace
}  // namespace probe
