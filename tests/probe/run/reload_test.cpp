#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "probe/run/identity.h"
#include "probe/run/live_probe.h"
#include "tests/probe/run/live_kit.h"

namespace probe::run {
namespace {

using namespace probe::test;

std::uint64_t given(const Statistics& s) {
  std::uint64_t n = 0;
  for (const TargetReport& t : s.targets) n += t.given;
  return n;
}

// Frames that do not end before the test does.
Frames many() { return repeated(captured({"http_keepalive", "dns_resolver"}), 300); }

TEST(Reload, AHundredTimesUnderLoadLosesNothing) {
  const Frames frames = many();
  FakeBehaviour gently;
  gently.offered_a_read = 4;
  Options o = small_options();
  o.capture_workers = 2;
  o.export_targets = {"null:"};
  auto owned = std::make_unique<FakePort>(by_flow(frames, 2), gently);
  FakePort* port = owned.get();
  Lines lines;
  LiveProbe probe(o, one_port(std::move(owned)), {&lines});
  probe.start();
  for (int i = 0; i < 100; ++i) {
    // One target stays, one changes; the filter changes, and lets everything pass.
    o.export_targets = {i % 2 == 0 ? "null:?types=off" : "null:?types=on"};
    o.capture_filter = i % 2 == 0 ? "len >= 0" : "";
    probe.reload(o);
    EXPECT_EQ(probe.trouble(), "");
  }
  EXPECT_TRUE(eventually([&] { return port->empty(); }));
  probe.stop();
  const Statistics s = probe.statistics();
  EXPECT_EQ(s.reloads, 100u);
  const Identity id = identity_of(s);
  EXPECT_TRUE(id.holds());
  EXPECT_EQ(id.offered, frames.size());
  EXPECT_EQ(s.counters()[Counter::capture_filtered], 0u);
  EXPECT_EQ(lines.sorted(), replayed(frames));
  // Each record went to one set of targets: none to two, none to nobody.
  EXPECT_EQ(given(s), lines.size());
  std::uint64_t sent = 0;
  for (const TargetReport& t : s.targets) sent += t.sent;
  EXPECT_EQ(sent, lines.size());
}

TEST(Reload, KeepsTargetsThatStay) {
  TemporaryFolder folder;
  Options o = small_options();
  o.export_targets = {folder.target("a"), "null:"};
  LiveProbe probe(o, one_port(std::make_unique<FakePort>(std::vector<Frames>{captured({"dns_answers"})})));
  probe.start();
  EXPECT_TRUE(eventually([&] { return probe.statistics().counters()[Counter::record_transactions] > 0; }));
  o.export_targets = {folder.target("a")};  // opened anew, it would be empty
  probe.reload(o);
  probe.stop();
  std::map<std::string, TargetReport> by_url;
  const Statistics s = probe.statistics();
  for (const TargetReport& t : s.targets) by_url[t.url] = t;
  ASSERT_EQ(by_url.size(), 2u);
  const Counters all = s.counters();
  EXPECT_EQ(by_url[folder.target("a")].sent, all[Counter::record_flows] + all[Counter::record_transactions]);
  EXPECT_LT(by_url["null:"].sent, by_url[folder.target("a")].sent);
  EXPECT_EQ(all[Counter::export_records], by_url["null:"].sent + by_url[folder.target("a")].sent);
}

TEST(Reload, ChangesTheFilter) {
  const Frames frames = captured({"dns_answers"});
  Options o = small_options();
  o.capture_filter = "ether proto 0x1234";  // nothing
  auto owned = std::make_unique<FakePort>(std::vector<Frames>{frames});
  FakePort* port = owned.get();
  port->queue(0).closed = true;
  LiveProbe probe(o, one_port(std::move(owned)));
  probe.start();
  o.capture_filter = "ip or ip6";
  probe.reload(o);
  port->queue(0).closed = false;
  EXPECT_TRUE(eventually([&] { return port->empty(); }));
  probe.stop();
  EXPECT_EQ(probe.statistics().counters()[Counter::capture_filtered], 0u);
  EXPECT_EQ(identity_of(probe.statistics()).counted, frames.size());
}

TEST(Reload, ForgetsNothingOfATargetThatStillSends) {
  const Frames frames = repeated(captured({"http_keepalive", "dns_resolver"}), 300);
  const std::string nobody = "tcp://127.0.0.1:1";
  Options o = small_options();
  o.export_targets = {nobody, "null:"};
  o.run_drain_time = 2 * kSecond;
  LiveProbe probe(o, one_port(std::make_unique<FakePort>(std::vector<Frames>{frames})));
  probe.start();
  const auto of_nobody = [&] {
    for (const TargetReport& t : probe.statistics().targets)
      if (t.url == nobody) return t;
    return TargetReport{};
  };
  EXPECT_TRUE(eventually([&] { return of_nobody().given > 1000; }));
  const TargetReport before = of_nobody();
  o.export_targets = {"null:"};
  probe.reload(o);
  EXPECT_GE(of_nobody().given, before.given);
  EXPECT_GE(probe.statistics().exporter_counters[Counter::export_messages], before.messages);
  probe.stop();
  const TargetReport after = of_nobody();
  EXPECT_GE(after.given, before.given);
  EXPECT_EQ(after.given, after.sent + after.unsuitable + after.queue_full + after.failed);
  EXPECT_GT(after.failed, 0u);
}

TEST(Reload, EndsThoughAWorkerHangs) {
  Options o = small_options();
  o.run_hang_time = kSecond;
  auto owned = std::make_unique<FakePort>(std::vector<Frames>{captured({"dns_answers"})});
  FakePort* port = owned.get();
  LiveProbe probe(o, one_port(std::move(owned)));
  probe.start();
  EXPECT_TRUE(eventually([&] { return port->empty(); }));
  port->queue(0).hangs = true;
  o.capture_filter = "ip";
  probe.reload(o);
  EXPECT_TRUE(eventually([&] { return probe.trouble().find("worker 0 hangs") != std::string::npos; }));
  port->queue(0).hangs = false;
  probe.stop();
}

TEST(Reload, RefusesWhatCannotBeOpenedAndKeepsWhatIs) {
  Options o = small_options();
  o.export_targets = {"null:"};
  LiveProbe probe(o, one_port(std::make_unique<FakePort>(std::vector<Frames>{captured({"dns_answers"})})));
  probe.start();
  Options bad = o;
  bad.export_targets = {"null:?types=off", "file:/nowhere/at/all"};
  EXPECT_THROW(probe.reload(bad), std::runtime_error);
  bad = o;
  bad.capture_filter = "this is no filter";
  EXPECT_THROW(probe.reload(bad), std::runtime_error);
  probe.stop();
  const Statistics s = probe.statistics();
  ASSERT_EQ(s.targets.size(), 1u);
  EXPECT_EQ(s.targets[0].url, "null:");
  EXPECT_GT(s.targets[0].sent, 0u);
  EXPECT_EQ(s.reloads, 0u);
  EXPECT_EQ(s.reloads_refused, 2u);
}

}  // namespace
}  // namespace probe::run
