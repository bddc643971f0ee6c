#include "probe/monitor/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <set>
#include <sstream>

#include "tests/probe/monitor/a_probe.h"
#include "tests/probe/monitor/exposition.h"

namespace probe::monitor {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string text_of(const run::Statistics& s) {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, metrics_of(s));
  return out.str();
}

TEST(Metrics, HaveEveryCounterOfTheTableWithItsHelp) {
  const std::string text = text_of(a_probe());
  for (std::size_t i = 0; i < kCounterCount; ++i) {
    const CounterInfo& info = info_of(static_cast<Counter>(i));
    EXPECT_THAT(text,
                HasSubstr("# HELP augprobe_" + std::string(info.name) + "_total " + std::string(info.meaning) + "\n"));
    EXPECT_THAT(text, HasSubstr("\naugprobe_" + std::string(info.name) + "_total{"));
  }
}

TEST(Metrics, AreAsTheFormatDemands) {
  EXPECT_THAT(read_exposition(text_of(a_probe())).mistakes, testing::IsEmpty());
  EXPECT_THAT(read_exposition(text_of(run::Statistics())).mistakes, testing::IsEmpty());
}

TEST(Metrics, TellWhatTheExporterItselfDropped) {
  run::Statistics s = a_probe();
  s.exporter_counters.add(Counter::export_too_late, 5);
  EXPECT_THAT(text_of(s), HasSubstr("augprobe_export_too_late_total{worker=\"exporter\"} 5\n"));
}

TEST(Metrics, AreGivenForEachWorkerPortTargetAndDissector) {
  const std::string text = text_of(a_probe());
  for (const char* line :
       {"augprobe_capture_frames_total{worker=\"0\"} 600\n", "augprobe_capture_frames_total{worker=\"1\"} 601\n",
        "augprobe_port_received_packets_total{port=\"socket:eth1\"} 1000\n",
        "augprobe_export_records_total{target=\"udp://192.0.2.1:4739?a=\\\"b\\\"\"} 11\n",
        "augprobe_flows_capacity{worker=\"1\"} 1000\n", "augprobe_flow_sampling{worker=\"1\"} 2\n",
        "augprobe_thread_cpu_seconds_total{thread=\"exporter\"} 0.5\n",
        "augprobe_stage_seconds_total{thread=\"worker 0\",stage=\"decode\"} 0.25\n"})
    EXPECT_THAT(text, HasSubstr(line));
  EXPECT_THAT(text, testing::Not(HasSubstr("stage_seconds_total{thread=\"exporter\"")));
  EXPECT_THAT(text, HasSubstr("dissector=\"" + std::string(dissectors()[0]->name) + "\"} 3\n"));
}

TEST(Metrics, LeaveOutWhatADriverCannotTell) {
  const std::string text = text_of(a_probe());
  EXPECT_THAT(text, HasSubstr("augprobe_port_dropped_packets_total{port=\"socket:eth1\",reason=\"kernel\"} 7\n"));
  EXPECT_THAT(text, Not(HasSubstr("port=\"socket:eth1\",reason=\"nic\"")));
  EXPECT_THAT(text, Not(HasSubstr("dropped_packets_total{port=\"dpdk:net_ring0\"")));
  EXPECT_THAT(text, Not(HasSubstr("link_up{port=\"dpdk:net_ring0\"")));
  EXPECT_THAT(text, Not(HasSubstr("augprobe_dispatched_batches")));
}

TEST(Metrics, HaveNamesOfTheirOwnWithoutRepetition) {
  std::set<std::string> names;
  for (const prometheus::MetricFamily& f : metrics_of(a_probe())) {
    EXPECT_TRUE(names.insert(f.name).second) << f.name;
    EXPECT_THAT(f.name, testing::MatchesRegex("augprobe_[a-z0-9_]+"));
    EXPECT_EQ(f.name.ends_with("_total"), f.type == prometheus::MetricType::Counter) << f.name;
    EXPECT_FALSE(f.help.empty()) << f.name;
    std::set<std::vector<std::pair<std::string, std::string>>> labels;
    for (const prometheus::ClientMetric& m : f.metric) {
      std::vector<std::pair<std::string, std::string>> of_this;
      for (const auto& l : m.label) of_this.emplace_back(l.name, l.value);
      EXPECT_TRUE(labels.insert(of_this).second) << f.name;
    }
  }
}

TEST(Metrics, OfAProbeThatHasNothingYetAreStillWellFormed) {
  EXPECT_THAT(text_of(run::Statistics()), HasSubstr("augprobe_start_time_seconds 0\n"));
}

}  // namespace
}  // namespace probe::monitor
