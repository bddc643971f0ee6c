#include "probe/run/told.h"

#include <gtest/gtest.h>

namespace probe::run {
namespace {

TEST(Told, IgnoredIsWhatShouldHaveBeenCountedAndWasNot) {
  Statistics s;
  s.ports.push_back({"socket:eth1", 1, {}});
  s.ports[0].counts.received = 100;
  s.ports[0].counts.dropped_kernel = 7;
  s.workers.resize(2);
  s.workers[0].counters.add(Counter::flow_packets, 60);
  s.workers[1].counters.add(Counter::flow_packets, 20);
  s.workers[0].counters.add(Counter::flow_created, 9);
  s.workers[0].counters.add(Counter::capture_filtered, 5);
  s.workers[0].counters.add(Counter::capture_duplicates, 6);
  s.workers[1].counters.add(Counter::decode_arp, 3);
  s.workers[1].counters.add(Counter::decode_not_ip, 1);
  s.workers[1].counters.add(Counter::decode_fragments_waiting, 5);
  s.workers[1].counters.add(Counter::decode_ip_bad, 2);
  s.dispatcher_counters.add(Counter::dispatch_full, 4);
  const ProbeStatistics t = told_of(s);
  EXPECT_EQ(t.packets, 80u);
  EXPECT_EQ(t.flows, 9u);
  EXPECT_EQ(t.ignored, 7u + 2u + 4u);
}

TEST(Told, RecordsAreLostInPoolsAndAtTheEnd) {
  Statistics s;
  s.workers.resize(1);
  s.workers[0].counters.add(Counter::record_pool_empty, 1);
  s.workers[0].counters.add(Counter::record_exporter_behind, 2);
  s.exporter_counters.add(Counter::export_too_late, 4);
  EXPECT_EQ(told_of(s).records_lost, 7u);
  EXPECT_EQ(told_of(s).ignored, 0u);
}

}  // namespace
}  // namespace probe::run
