#include "probe/monitor/screen.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "probe/monitor/snapshot.h"
#include "tests/probe/monitor/a_probe.h"

namespace probe::monitor {
namespace {

using testing::HasSubstr;
using testing::Not;

run::Statistics a_second_later() {
  run::Statistics s = a_probe();
  s.time += kSecond;
  s.uptime += kSecond;
  s.ports[0].counts.received += 2'500'000;
  *s.ports[0].counts.dropped_kernel += 3;
  s.workers[0].counters.add(Counter::capture_frames, 2'500'000);
  s.workers[0].counters.add(Counter::capture_octets, 1'250'000'000);
  *s.workers[0].thread.cpu_time += kSecond / 2;
  s.workers[0].thread.stages[static_cast<std::size_t>(run::Stage::decode)] += kSecond / 8;
  s.workers[0].thread.stages[static_cast<std::size_t>(run::Stage::measure)] += kSecond / 8;
  s.workers[0].thread.stages[static_cast<std::size_t>(run::Stage::idle)] += kSecond / 2;
  s.targets[0].sent += 40;
  return s;
}

Ranks some_ranks() {
  Ranks r;
  r.seconds = 45;
  r.flow_seconds = 60;
  r.talkers.push_back({"2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", "2001:db8:1111:2222:3333:4444:5555:6666", "http", 6,
                       65535, 75'000'000, 9, 2});
  r.slowest.push_back({"192.0.2.7", "sql", 12, 1500, 40'000});
  r.retransmitters.push_back({"192.0.2.8", 5, 100});
  return r;
}

TEST(Snapshot, TellsRatesOnlyOfTheTimeBetweenTwo) {
  const run::Statistics first = a_probe(), second = a_second_later();
  const auto alone = snapshot_of(second, nullptr, {});
  EXPECT_FALSE(alone.contains("per_second"));
  EXPECT_FALSE(alone["ports"][0].contains("received_per_second"));
  EXPECT_FALSE(snapshot_of(first, &first, {}).contains("per_second"));  // no time has passed
  const auto both = snapshot_of(second, &first, {});
  EXPECT_EQ(both["per_second"]["packets"], 2'500'000.0);
  EXPECT_EQ(both["ports"][0]["dropped_per_second"], 3.0);
  EXPECT_EQ(both["workers"][0]["cpu_share"], 0.5);
  EXPECT_EQ(both["workers"][0]["busy_share"], 0.25);
  EXPECT_EQ(both["workers"][0]["stage_seconds"]["decode"], 0.375);
  EXPECT_FALSE(both["exporter"].contains("busy_share"));
  EXPECT_EQ(both["targets"][0]["sent_per_second"], 40.0);
}

TEST(Snapshot, LeavesOutWhatIsNotKnown) {
  const auto s = snapshot_of(a_second_later(), nullptr, {});
  EXPECT_FALSE(s["ports"][1].contains("dropped"));
  EXPECT_FALSE(s["ports"][1].contains("link_up"));
  EXPECT_FALSE(s.contains("dispatcher"));
  run::Statistics first = a_probe();
  first.ports[0].counts.received = 5'000'000;  // a port that was opened anew counts from 0
  EXPECT_FALSE(snapshot_of(a_second_later(), &first, {})["ports"][0].contains("received_per_second"));
}

TEST(Snapshot, HasEveryCounter) {
  const auto s = snapshot_of(a_probe(), nullptr, {});
  EXPECT_EQ(s["counters"].size(), kCounterCount);
  EXPECT_EQ(s["counters"]["capture_frames"], 1201);
  EXPECT_EQ(s["dissectors"].size(), dissectors().size());
}

TEST(Screen, FitsIntoEightyColumnsWithTheLongestAddresses) {
  const run::Statistics first = a_probe();
  const std::string text = screen_of(snapshot_of(a_second_later(), &first, some_ranks()), 200, 0);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
  for (const char* part :
       {"packets/s 2.50 M", "bits/s 10.0 G", "socket:eth1", "50 %", "10.0 M", "1 in 2", "192.0.2.7", "40.0", "5.0 %"})
    EXPECT_THAT(text, HasSubstr(part)) << text;
}

TEST(Screen, MarksWhatIsNotKnownAndWhoIsIll) {
  run::Statistics s = a_probe();
  s.workers[0].thread.cpu_time.reset();
  s.workers[1].thread.silent = 7 * kSecond;
  s.ports[0].counts.link_up = false;
  const std::string text = screen_of(snapshot_of(s, nullptr, {}), 80, 0);
  EXPECT_THAT(text, testing::ContainsRegex("dpdk:net_ring0 +\\? +\\? +\\? +\\?"));
  EXPECT_THAT(text, testing::ContainsRegex("worker 0 .*ENDED"));
  EXPECT_THAT(text, testing::ContainsRegex("worker 1 .*SILENT 7 s"));
  EXPECT_THAT(text, testing::ContainsRegex("socket:eth1 .*DOWN"));
}

TEST(Screen, IsCutToTheTerminal) {
  const std::string text = screen_of(snapshot_of(a_probe(), nullptr, some_ranks()), 40, 5);
  EXPECT_EQ(std::ranges::count(text, '\n'), 5);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 40u);
}

TEST(Screen, LetsNoControlThroughToTheTerminal) {
  run::Statistics s = a_probe();
  s.targets[0].trouble = "\x1b]0;evil\x07 refused";
  Ranks r = some_ranks();
  r.talkers[0].application = "\x1b[2J";
  for (const char c : screen_of(snapshot_of(s, nullptr, r), 80, 0)) EXPECT_TRUE(c == '\n' || c >= 0x20);
}

}  // namespace
}  // namespace probe::monitor
