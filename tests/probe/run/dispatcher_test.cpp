// A dispatcher that is itself too slow sheds, and its workers with it.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "probe/run/identity.h"
#include "probe/run/live_worker.h"
#include "tests/probe/run/live_kit.h"

namespace probe::run {
namespace {

using namespace probe::test;
using Json = nlohmann::json;

constexpr double kProbability = 0.25;  // of the deepest level in these tests

struct Probed {
  Lines lines;
  Exporter exporter{{&lines}};
  live::Filter filter;
  std::vector<std::unique_ptr<LiveWorker>> workers;
  std::unique_ptr<LiveDispatcher> dispatcher;
  FakePort port;

  // Nothing is read as long as the queue is closed.
  explicit Probed(const Frames& frames, bool closed = false) : port(std::vector<Frames>{frames}) {
    port.queue(0).closed = closed;
    Options o = small_options();
    o.sampling_shed = true;
    o.sampling_shed_most = 4;
    o.capture_workers = 2;
    for (std::size_t i = 0; i < 2; ++i) workers.push_back(std::make_unique<LiveWorker>(i, o, exporter));
    dispatcher = std::make_unique<LiveDispatcher>(o, std::vector<live::Queue*>{&port.queue(0)}, &filter, workers);
    exporter.start();
    for (const auto& w : workers) w->start();
    dispatcher->start();
  }
  // All frames have been read, and all flows have ended.
  Statistics finish() {
    EXPECT_TRUE(eventually([&] { return port.empty(); }));
    dispatcher->stop();
    dispatcher->thread().join();
    Statistics s;
    for (const auto& w : workers) {
      w->stop(steady_now() + 10 * kSecond);
      w->thread().join();
      s.workers.push_back(w->statistics());
    }
    exporter.stop();
    s.ports.push_back({port.name(), 1, port.counts()});
    s.dispatcher_counters = dispatcher->counters();
    return s;
  }
};

using Packets = std::map<std::string, std::uint64_t>;  // by the flow's client
Packets packets_of(const std::vector<std::string>& lines) {
  Packets out;
  for (const std::string& line : lines)
    if (const Json j = Json::parse(line); j["record"] == "flow")
      out[j["sourceIPv4Address"].get<std::string>() + " " + j["sourceTransportPort"].dump()] +=
          j["packetDeltaCount"].get<std::uint64_t>() + j["reversePacketDeltaCount"].get<std::uint64_t>();
  return out;
}

TEST(LiveDispatcher, ThatIsTooSlowShedsWholeFlows) {
  const Frames frames = repeated(captured({"http_keepalive"}), 200);
  const Packets all = packets_of(replayed(frames));
  Probed probed(frames, true);
  FakeQueue& queue = probed.port.queue(0);
  queue.waiting = 0.6;
  std::this_thread::sleep_for(std::chrono::seconds(2));  // long enough for all levels, on a busy machine too
  queue.closed = false;
  const Statistics s = probed.finish();

  const Identity id = identity_of(s);
  EXPECT_TRUE(id.holds()) << id.offered << " offered, " << id.counted << " counted, " << id.dropped() << " dropped";
  EXPECT_EQ(id.offered, frames.size());
  EXPECT_GT(s.dispatcher_counters[Counter::shed_flows], all.size() / 2);
  EXPECT_EQ(s.counters()[Counter::dispatch_full], 0u);
  const Packets recorded = packets_of(probed.lines.sorted());
  EXPECT_GT(recorded.size(), all.size() / 8);
  EXPECT_EQ(recorded.size() + s.counters()[Counter::shed_flows], all.size());
  for (const auto& [client, packets] : recorded) EXPECT_EQ(packets, all.at(client));
  for (const std::string& line : probed.lines.sorted())
    EXPECT_EQ(Json::parse(line)["samplingProbability"], kProbability);
  for (const WorkerStatistics& w : s.workers) EXPECT_EQ(w.flow_sampling, 4u);
}

// What was under way when it began to shed stays, and what begins when it has ended is there again.
TEST(LiveDispatcher, ThatIsTooSlowForAWhileLeavesOutOnlyWhatBeginsThen) {
  const Frames frames = repeated(captured({"http_keepalive"}), 200);
  Probed probed(frames);
  FakeQueue& queue = probed.port.queue(0);
  queue.waiting = 0;
  EXPECT_TRUE(eventually([&] { return queue.empty(); }));
  queue.waiting = 0.6;
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  const Statistics s = probed.finish();
  EXPECT_EQ(packets_of(probed.lines.sorted()), packets_of(replayed(frames)));
  EXPECT_EQ(s.counters()[Counter::shed_packets], 0u);
  EXPECT_TRUE(identity_of(s).holds());
}

}  // namespace
}  // namespace probe::run
