// Targets against real sockets and files; the collector on the other side.
#include "exporter/run/target.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

#include "exporter/collector/collector.h"
#include "exporter/ipfix/reader.h"
#include "exporter/transport/address.h"
#include "tests/exporter/run/target_kit.h"
#include "tests/exporter/samples.h"
#include "tests/exporter/wire.h"

namespace probe {
namespace {

using namespace std::chrono_literals;
using namespace test;
using samples::Values;

class Reaches : public testing::TestWithParam<const char*> {};

TEST_P(Reaches, ACollectorWithEveryRecord) {
  Running at(GetParam());
  Counters counters;
  const auto target = open_target(at.url, {}, counters);
  Source source(3);
  for (int i = 0; i < 3000; ++i) source.put(*target);
  target->finish();
  const TargetReport sent = target->report();
  EXPECT_EQ(sent.given, 3000u);
  EXPECT_TRUE(sent.complete()) << sent.trouble;
  const CollectorReport got = at.end();
  EXPECT_EQ(got.all_records(), 3000u);
  EXPECT_EQ(got.lost_records, 0u);
  EXPECT_EQ(got.messages, sent.messages);
  EXPECT_EQ(got.octets, sent.octets);
  EXPECT_TRUE(got.troubles.empty());
  ASSERT_EQ(at.kept.rows.size(), source.rows.size());
  for (std::size_t i = 0; i < source.rows.size(); ++i) ASSERT_EQ(at.kept.rows[i], source.rows[i]) << i;
  EXPECT_EQ(counters[Counter::export_records], 3000u);
  EXPECT_EQ(counters[Counter::export_octets], sent.octets);
}
INSTANTIATE_TEST_SUITE_P(Target, Reaches, testing::Values("udp", "tcp"));

TEST_P(Reaches, ACollectorWithWhatTheProbeTellsOfItself) {
  Running at(GetParam());
  Counters counters;
  TargetOptions live;
  live.live = true;
  const auto target = open_target(at.url, live, counters);
  Source source(9);
  ProbeStatistics s;
  for (int i = 0; i < 1000; ++i) {
    source.put(*target);
    target->turn();
    if (i % 100 != 0) continue;
    s.packets += 1000;
    s.ignored += 2;
    s.records_lost += 1;
    s.first_ignored = s.last_ignored = 1'760'000'000 * kSecond;
    target->flush();
    target->tell(s);
  }
  target->wait_until(std::chrono::steady_clock::now() + 10s);
  target->flush();
  for (int i = 0; i < 100 && target->report().sent < 1000; ++i) {
    std::this_thread::sleep_for(10ms);
    target->turn();
  }
  target->tell(s);
  target->finish();
  const TargetReport sent = target->report();
  EXPECT_TRUE(sent.complete()) << sent.trouble;
  const CollectorReport got = at.end();
  EXPECT_EQ(got.all_records(), 1000u);
  EXPECT_EQ(got.lost_records, 0u);
  EXPECT_EQ(got.sets_without_template, 0u);
  EXPECT_EQ(at.kept.rows, source.rows);
  ASSERT_EQ(got.exporters.size(), 1u);
  const ipfix::Told& told = got.exporters[0].told;
  EXPECT_EQ(told.packets, 10'000u);
  EXPECT_EQ(told.packets_ignored, 20u);
  EXPECT_EQ(told.records_not_sent, 10u);
  EXPECT_EQ(told.records, sent.data_records);  // on the wire: one of many fields is several
  EXPECT_GE(told.records, 1000u);
  EXPECT_EQ(told.messages, sent.messages - 1);  // all but the one that tells it
}

TEST(Target, ACollectorThatIsAwayFindsNoPileOfStatistics) {
  Counters counters;
  TargetOptions live;
  live.live = true;
  const auto target = open_target("tcp://127.0.0.1:1", live, counters);
  for (int i = 0; i < 1000; ++i) {
    target->tell({});
    target->turn();
  }
  EXPECT_EQ(target->report().messages, 0u);
  const std::string off = testing::TempDir() + "target_test.off." + std::to_string(getpid()), on = off + ".on";
  for (const std::string& path : {off, on}) {
    const auto file = open_target("file:" + path + (path == off ? "?statistics=off" : ""), live, counters);
    file->tell({});
    file->finish();
    EXPECT_EQ(file->report().messages, path == off ? 0u : 1u);
    std::remove(path.c_str());
  }
}

TEST(Target, AFileHoldsEveryRecordAndIsTheSameEachTime) {
  const std::string path = testing::TempDir() + "target_test." + std::to_string(getpid());
  std::vector<std::string> contents;
  Rows rows;
  for (int run = 0; run < 2; ++run) {
    Counters counters;
    const auto target = open_target("file:" + path, {}, counters);
    Source source(4);
    for (int i = 0; i < 2000; ++i) source.put(*target);
    target->finish();
    EXPECT_TRUE(target->report().complete());
    rows = source.rows;
    std::string all;
    std::FILE* f = std::fopen(path.c_str(), "rb");
    char buffer[65536];
    for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, f)) > 0;) all.append(buffer, n);
    std::fclose(f);
    contents.push_back(all);
    if (run == 0) std::this_thread::sleep_for(1100ms);  // the clock has moved on; export times have not
  }
  EXPECT_EQ(contents[0], contents[1]);
  Kept kept;
  Collector collector({}, {&kept});
  EXPECT_TRUE(collector.read_file(path));
  EXPECT_EQ(kept.rows, rows);
  std::remove(path.c_str());
}

TEST(Target, AFullDiskIsCountedAndTold) {
  Counters counters;
  const auto target = open_target("file:/dev/full", {}, counters);
  Source source(5);
  for (int i = 0; i < 2000; ++i) source.put(*target);
  target->finish();
  const TargetReport r = target->report();
  EXPECT_EQ(r.sent, 0u);
  EXPECT_EQ(r.failed, 2000u);
  EXPECT_NE(r.trouble.find("No space left"), std::string::npos);
  EXPECT_EQ(counters[Counter::export_records_failed], 2000u);
}

TEST(Target, MistakesAreToldInSentences) {
  EXPECT_NE(complaint("file:/no/such/directory/x").find("No such file"), std::string::npos);
  EXPECT_NE(complaint("null:?profile=ntop").find("there are native, basic"), std::string::npos);
  EXPECT_NE(complaint("null:?types=maybe").find("on or off"), std::string::npos);
  EXPECT_NE(complaint("null:?statistics=1").find("on or off"), std::string::npos);
  EXPECT_NE(complaint("null:?rate=1").find("there is no option rate here"), std::string::npos);
  EXPECT_NE(complaint("udp://127.0.0.1:1?rate=1").find("from 10000"), std::string::npos);
  EXPECT_NE(complaint("udp://no.such.host.invalid:1").find("cannot find the address"), std::string::npos);
  TargetOptions options;
  options.enterprise = 65536;
  EXPECT_NE(complaint("null:", options).find("from 1 to 65535"), std::string::npos);
  options = {};
  options.domain = 0;
  EXPECT_NE(complaint("null:", options).find("domain 0"), std::string::npos);
}

}  // namespace
}  // namespace probe
