// Sampling by configuration, through all of a replay and of a live probe.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "probe/base/quality.h"
#include "probe/run/identity.h"
#include "tests/probe/run/live_kit.h"

namespace probe::run {
namespace {

using namespace probe::test;
using Json = nlohmann::json;

Frames traffic() { return repeated(captured({"http_keepalive", "dns_answers", "mysql_session"}), 60); }

std::vector<Json> parsed(const std::vector<std::string>& lines) {
  std::vector<Json> out;
  for (const std::string& line : lines) out.push_back(Json::parse(line));
  return out;
}
bool is_flow(const Json& j) { return j["record"] == "flow"; }

TEST(Sampling, OfFlowsLeavesWholeFlows) {
  Options o = small_options();
  const Frames frames = traffic();
  std::set<std::string> all;
  for (const std::string& line : replayed(frames, o)) all.insert(line);
  o.sampling_flows = 4;
  std::size_t flows = 0, others = 0;
  for (Json j : parsed(replayed(frames, o))) {
    if (is_flow(j)) {
      ++flows;
      EXPECT_EQ(j["samplingProbability"], 0.25);
      j.erase("samplingProbability");
    } else {
      ++others;
    }
  }
  EXPECT_GT(flows, 20u);
  EXPECT_GT(others, 50u);
  EXPECT_LT(flows + others, all.size() / 2);
}

TEST(Sampling, OfFlowsGivesTheRecordsOfThoseFlowsUnchanged) {
  Options o = small_options();
  const Frames frames = traffic();
  std::multiset<std::string> all;
  for (const Json& j : parsed(replayed(frames, o))) all.insert(j.dump());
  o.sampling_flows = 4;
  for (Json j : parsed(replayed(frames, o))) {
    j.erase("samplingProbability");
    EXPECT_TRUE(all.contains(j.dump())) << j.dump();
  }
}

TEST(Sampling, DoesNotDependOnTheNumberOfWorkers) {
  const Frames frames = repeated(captured({"http_keepalive"}), 60);  // without pauses
  Options o = small_options();
  o.sampling_flows = 3;
  o.sampling_packets = 2;
  const auto alone = replayed(frames, o);
  o.capture_workers = 3;
  const auto shared = replayed(frames, o);
  std::vector<std::string> other;
  std::ranges::set_symmetric_difference(shared, alone, std::back_inserter(other));
  EXPECT_THAT(other, testing::IsEmpty());
  EXPECT_GT(alone.size(), 50u);
}

// What would need all packets is not there, and the record says why.
TEST(Sampling, OfPacketsGivesCountsOnly) {
  Options o = small_options();
  o.sampling_packets = 4;
  std::uint64_t packets = 0;
  for (const Json& j : parsed(replayed(traffic(), o))) {
    ASSERT_TRUE(is_flow(j)) << j.dump();
    EXPECT_EQ(j["samplingProbability"], 0.25);
    EXPECT_NE(j["measurementQuality"].get<std::uint32_t>() & bit_of(Quality::sampled_out), 0u);
    for (const auto& [name, value] : j.items())
      EXPECT_TRUE(name.find("tcp") == name.npos && name.find("esponseTime") == name.npos && name != "applicationName")
          << name;
    packets += j["packetDeltaCount"].get<std::uint64_t>() + j["reversePacketDeltaCount"].get<std::uint64_t>();
  }
  const double expected = static_cast<double>(traffic().size()) / 4;
  EXPECT_NEAR(static_cast<double>(packets), expected, 0.15 * expected);
}

TEST(Sampling, IsInTheIdentityOfALiveProbe) {
  const Frames frames = traffic();
  for (const std::size_t workers : {1, 2}) {
    Options o = small_options();
    o.capture_workers = workers;
    o.sampling_flows = 2;
    o.sampling_packets = 2;
    auto port = std::make_unique<FakePort>(std::vector<Frames>{frames}, FakeBehaviour{24});
    FakePort* reads = port.get();
    LiveProbe probe(o, one_port(std::move(port)));
    probe.start();
    EXPECT_TRUE(eventually([&] { return reads->empty(); }));
    probe.stop();
    const Statistics s = probe.statistics();
    const Identity id = identity_of(s);
    EXPECT_TRUE(id.holds());
    EXPECT_EQ(id.offered, frames.size());
    EXPECT_GT(s.counters()[Counter::sampled_out_by_flow], frames.size() / 4);
    EXPECT_GT(s.counters()[Counter::sampled_out_by_packet], frames.size() / 10);
    EXPECT_EQ(s.workers[0].flow_sampling, 2u);
    EXPECT_EQ(s.workers[0].shed_level, 0u);
  }
}

}  // namespace
}  // namespace probe::run
