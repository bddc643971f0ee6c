#include "probe/run/expect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>

namespace probe::run {
namespace {

struct Expecting : testing::Test {
  std::string path = testing::TempDir() + "expected_" + std::to_string(getpid()) + ".jsonl";
  RecordPools pools{[] {
    std::array<std::size_t, schema::kKindCount> n;
    n.fill(4);
    return n;
  }()};

  void write(const std::string& text) { std::ofstream(path) << text; }
  void TearDown() override { unlink(path.c_str()); }

  // What the report says of one DNS record that was found, after "true: " or "false: ".
  std::string report(std::uint16_t code, std::uint64_t response_us) {
    Expectation e(path);
    Record* r = pools.take(schema::find_kind("dns"));
    set_in<"flowId">(*r, std::uint64_t{77});
    set_in<"protocolIdentifier">(*r, std::uint8_t{17});
    set_in<"dnsResponseCode">(*r, code);
    set_in<"dnsAnswerCount">(*r, std::uint16_t{1});
    set_in<"responseTimeMicroseconds">(*r, response_us);
    e.put(*r);
    pools.give(r);
    char* text = nullptr;
    std::size_t size = 0;
    std::FILE* out = open_memstream(&text, &size);
    const bool good = e.report(out);
    std::fclose(out);
    const std::string said(text, size);
    free(text);
    return (good ? "true: " : "false: ") + said;
  }
};

constexpr const char* kExpected =
    R"({"record":"dns","flowId":1,"protocolIdentifier":17,"responseTimeMicroseconds":10000,"dnsResponseCode":3,"dnsAnswerCount":1})"
    "\n";

TEST_F(Expecting, EqualRecordsAreGoodWhateverTheFlowId) {
  write(kExpected);
  EXPECT_THAT(report(3, 10'000), testing::StartsWith("true: "));
}

TEST_F(Expecting, ACountMayNotDifferAndADurationALittle) {
  write(kExpected);
  EXPECT_THAT(report(3, 10'009), testing::StartsWith("true: "));
  EXPECT_THAT(report(3, 10'020), testing::HasSubstr("responseTimeMicroseconds: expected 10000, got 10020"));
  EXPECT_THAT(report(2, 10'000), testing::HasSubstr("dnsResponseCode: expected 3, got 2"));
}

TEST_F(Expecting, TellsWhatIsMissingAndWhatIsExtra) {
  write(std::string(kExpected) + kExpected);
  EXPECT_THAT(report(3, 10'000), testing::AllOf(testing::StartsWith("false: "), testing::HasSubstr("missing")));
  write("");
  EXPECT_THAT(report(3, 10'000), testing::AllOf(testing::StartsWith("false: "), testing::HasSubstr("extra")));
}

TEST_F(Expecting, ALineThatIsNoRecordIsToldWithItsNumber) {
  write(std::string(kExpected) + "{\"recrod\":\"dns\"}\n");
  try {
    Expectation e(path);
    FAIL();
  } catch (const std::runtime_error& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr(":2:"));
  }
}

}  // namespace
}  // namespace probe::run
