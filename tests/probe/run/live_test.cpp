#include "probe/run/live_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probe/run/identity.h"
#include "tests/probe/run/live_kit.h"

namespace probe::run {
namespace {

using namespace probe::test;

const std::vector<std::string> kCaptures = {"http_keepalive", "dns_resolver",   "mysql_session", "http_loss_both",
                                            "http_ipv6",      "mysql_prepared", "http_reorder"};

// A probe on one fake port that has run until everything was read.
struct Ran {
  FakePort* port = nullptr;
  Lines lines;
  std::unique_ptr<LiveProbe> probe;

  Ran(const Options& o, std::unique_ptr<FakePort> p) : port(p.get()) {
    probe = std::make_unique<LiveProbe>(o, one_port(std::move(p)), std::vector<Sink*>{&lines});
  }
  Ran& start() {
    probe->start();
    return *this;
  }
  Ran& stop() {
    EXPECT_TRUE(eventually([&] { return port->empty(); }));
    probe->stop();
    EXPECT_EQ(probe->trouble(), "");
    return *this;
  }
  std::uint64_t count(Counter c) { return probe->statistics().counters()[c]; }
};

Options with_workers(std::size_t n) {
  Options o = small_options();
  o.capture_workers = n;
  return o;
}

void expect_identity(LiveProbe& probe, std::size_t offered) {
  const Identity id = identity_of(probe.statistics());
  EXPECT_TRUE(id.holds()) << id.offered << " offered, " << id.counted << " counted, " << id.dropped() << " dropped";
  EXPECT_EQ(id.offered, offered);
}

TEST(LiveProbe, GivesTheRecordsOfAReplay) {
  const Frames frames = captured(kCaptures);
  Ran ran(with_workers(1), std::make_unique<FakePort>(std::vector<Frames>{frames}));
  ran.start().stop();
  const auto expected = replayed(frames);
  EXPECT_GT(expected.size(), 100u);
  EXPECT_EQ(ran.lines.sorted(), expected);
  EXPECT_EQ(ran.port->queue(0).released.value(), frames.size());
  expect_identity(*ran.probe, frames.size());
  EXPECT_TRUE(identity_of(ran.probe->statistics()).unknown.empty());
}

TEST(LiveProbe, WorkersWithQueuesOfTheirOwnGiveTheSameRecords) {
  const Frames frames = captured(kCaptures);
  Ran ran(with_workers(3), std::make_unique<FakePort>(by_flow(frames, 3)));
  ran.start().stop();
  EXPECT_FALSE(ran.probe->statistics().dispatcher.has_value());
  EXPECT_EQ(ran.lines.sorted(), replayed(frames));
  expect_identity(*ran.probe, frames.size());
}

TEST(LiveProbe, ADispatcherFeedsWorkersWithoutQueues) {
  const Frames frames = captured(kCaptures);
  FakeBehaviour gently;
  gently.offered_a_read = 24;  // no full bursts: what is there is sent at once
  Ran ran(with_workers(3), std::make_unique<FakePort>(std::vector<Frames>{frames}, gently));
  ran.start().stop();
  EXPECT_TRUE(ran.probe->statistics().dispatcher.has_value());
  ASSERT_EQ(ran.count(Counter::dispatch_full) + ran.count(Counter::dispatch_frames_unseen), 0u);
  EXPECT_EQ(ran.lines.sorted(), replayed(frames));
  expect_identity(*ran.probe, frames.size());
}

// A batch for a worker is full in the middle of a burst whose last frame comes two minutes later.
TEST(LiveProbe, ABatchThatIsFullEndsNoFlowOfItsBurst) {
  Frames frames;
  for (int i = 0; i < 600; ++i)
    frames.push_back(
        kit::ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(1, 9).zeros(100).time(kSecond + i * kMicrosecond).build());
  frames[Batch::kPackets + Pipeline::kMostPackets - 1].time += 120 * kSecond;
  Ran ran(with_workers(2), std::make_unique<FakePort>(std::vector<Frames>{frames}));
  ran.start().stop();
  EXPECT_EQ(ran.lines.sorted(), replayed(frames));
  expect_identity(*ran.probe, frames.size());
}

TEST(LiveProbe, TheTwoPortsOfATapAreOneLink) {
  const Frames frames = captured(kCaptures);
  LivePorts ports;
  for (Frames& f : by_direction(frames))
    ports.ports.push_back(std::make_unique<FakePort>(std::vector<Frames>{std::move(f)}));
  auto *a = static_cast<FakePort*>(ports.ports[0].get()), *b = static_cast<FakePort*>(ports.ports[1].get());
  Lines lines;
  LiveProbe probe(with_workers(1), std::move(ports), {&lines});
  probe.start();
  EXPECT_TRUE(eventually([&] { return a->empty() && b->empty(); }));
  probe.stop();
  EXPECT_EQ(lines.sorted(), replayed(frames));
  expect_identity(probe, frames.size());
}

TEST(LiveProbe, PortsWhoseQueuesDisagreeAreDispatched) {
  LivePorts ports = one_port(std::make_unique<FakePort>(std::vector<Frames>(2)));
  ports.queues_agree = false;
  LiveProbe probe(with_workers(2), std::move(ports));
  EXPECT_TRUE(probe.statistics().dispatcher.has_value());
}

TEST(LiveProbe, FramesThatARingHadNoRoomForAreInTheIdentity) {
  const Frames frames = captured(kCaptures);
  FakeBehaviour overloaded;
  overloaded.offered_a_read = 100;
  overloaded.ring = 60;
  Ran ran(with_workers(1), std::make_unique<FakePort>(std::vector<Frames>{frames}, overloaded));
  ran.start().stop();
  const Identity id = identity_of(ran.probe->statistics());
  EXPECT_TRUE(id.holds());
  EXPECT_EQ(id.offered, frames.size());
  ASSERT_FALSE(id.drops.empty());
  EXPECT_EQ(id.drops[0].reason, "fake.dropped_nic");
  EXPECT_GT(id.drops[0].n, frames.size() / 3);
}

TEST(LiveProbe, WhatAFilterLeavesOutIsInTheIdentity) {
  const Frames frames = captured(kCaptures);
  Options o = with_workers(1);
  o.capture_filter = "udp";
  Ran ran(o, std::make_unique<FakePort>(std::vector<Frames>{frames}));
  ran.start().stop();
  EXPECT_GT(ran.count(Counter::capture_filtered), 100u);
  EXPECT_GT(ran.count(Counter::flow_packets), 10u);
  expect_identity(*ran.probe, frames.size());
}

TEST(LiveProbe, PacketsThatAMirrorShowsTwiceAreLeftOut) {
  const Frames frames = captured(kCaptures);
  Frames twice;
  for (const kit::BuiltFrame& f : frames) {
    twice.push_back(f);
    twice.push_back(f);
    twice.back().port = 1;  // at another port of the same link
    twice.back().time += 20 * kMicrosecond;
  }
  Options o = with_workers(1);
  o.capture_duplicate_window = 100 * kMicrosecond;
  Ran ran(o, std::make_unique<FakePort>(std::vector<Frames>{twice}));
  ran.start().stop();
  EXPECT_EQ(ran.count(Counter::capture_duplicates), frames.size());
  EXPECT_EQ(ran.lines.sorted(), replayed(frames));
  expect_identity(*ran.probe, twice.size());
}

TEST(LiveProbe, AFullFlowTableIsInTheIdentity) {
  const Frames frames = repeated(captured({"dns_answers"}), 50);
  Options o = with_workers(1);
  o.flow_capacity = 16;
  Ran ran(o, std::make_unique<FakePort>(std::vector<Frames>{frames}));
  ran.start().stop();
  EXPECT_GT(ran.count(Counter::flow_table_full), 0u);
  expect_identity(*ran.probe, frames.size());
}

TEST(LiveProbe, FlowsEndWhileNothingComes) {
  Options o = with_workers(1);
  o.flow_idle_timeout = o.flow_udp_idle_timeout = o.flow_tcp_linger = 10 * kMillisecond;
  const Frames frames = captured({"dns_answers"});
  Ran ran(o, std::make_unique<FakePort>(std::vector<Frames>{frames}));
  ran.start();
  const auto flows = [&] {
    const Statistics s = ran.probe->statistics();
    return s.workers[0].flows;
  };
  EXPECT_TRUE(
      eventually([&] { return ran.port->empty() && ran.count(Counter::flow_created) > 0 && flows().used == 0; }));
  EXPECT_EQ(flows().capacity, o.flow_capacity);
  EXPECT_EQ(ran.count(Counter::record_flows), ran.count(Counter::flow_created));
  ran.stop();
}

TEST(LiveProbe, AnExporterThatIsBehindCostsRecordsButNoPackets) {
  const Frames frames = repeated(captured({"dns_answers", "http_keepalive"}), 100);
  Options o = with_workers(1);
  o.records_flow = 16;
  o.records_transaction = 64;
  Ran ran(o, std::make_unique<FakePort>(std::vector<Frames>{frames}));
  ran.lines.stuck = true;
  ran.start();
  EXPECT_TRUE(eventually([&] { return ran.port->empty(); }));
  const std::uint64_t lost = ran.count(Counter::record_exporter_behind);
  EXPECT_GT(lost, 0u);
  ran.lines.stuck = false;
  ran.stop();
  expect_identity(*ran.probe, frames.size());
  const std::uint64_t finished = ran.count(Counter::record_flows) + ran.count(Counter::record_transactions);
  EXPECT_EQ(ran.lines.size(), finished);
  // At the end records wait for the exporter, however small their pools: every flow that was open then has one.
  EXPECT_LT(finished, replayed(frames).size());
}

TEST(LiveProbe, AtTheEndFlowsWaitForASlowExporter) {
  const Frames frames = repeated(captured({"dns_answers"}), 40);
  Options o = with_workers(2);
  o.records_flow = 16;
  o.flow_idle_timeout = o.flow_udp_idle_timeout = o.flow_tcp_linger = 3600 * kSecond;  // none ends before
  o.flow_active_timeout = 86'400 * kSecond;
  Ran ran(o, std::make_unique<FakePort>(by_flow(frames, 2)));
  ran.lines.slow = 200 * kMicrosecond;
  ran.start().stop();
  std::size_t flows = 0;
  for (const std::string& line : ran.lines.sorted()) flows += line.find("\"record\":\"flow\"") != line.npos ? 1 : 0;
  EXPECT_GT(flows, 100u);
  EXPECT_EQ(flows, ran.count(Counter::flow_created));
}

TEST(LiveProbe, TheEndIsBoundedInTime) {
  const Frames frames = repeated(captured({"dns_answers"}), 40);
  Options o = with_workers(1);
  o.records_flow = 16;
  o.run_drain_time = 300 * kMillisecond;
  Ran ran(o, std::make_unique<FakePort>(std::vector<Frames>{frames}));
  ran.lines.slow = 50 * kMillisecond;
  ran.start();
  EXPECT_TRUE(eventually([&] { return ran.port->empty(); }));
  const Nanos begin = steady_now();
  ran.probe->stop();
  EXPECT_LT(steady_now() - begin, 2 * kSecond);
  EXPECT_EQ(ran.probe->trouble(), "");
  const std::uint64_t finished = ran.count(Counter::record_flows) + ran.count(Counter::record_transactions);
  EXPECT_GT(ran.count(Counter::export_too_late), 0u);
  EXPECT_EQ(ran.lines.size() + ran.count(Counter::export_too_late), finished);
}

TEST(LiveProbe, NoticesAWorkerThatHangs) {
  Options o = with_workers(2);
  o.run_hang_time = kSecond;
  Ran ran(o, std::make_unique<FakePort>(std::vector<Frames>(2)));
  ran.start();
  EXPECT_EQ(ran.probe->trouble(), "");
  ran.port->queue(1).hangs = true;
  std::string why;
  EXPECT_TRUE(eventually([&] { return !(why = ran.probe->trouble()).empty(); }));
  EXPECT_THAT(why, testing::HasSubstr("worker 1 hangs"));
  EXPECT_TRUE(ran.probe->hangs());
  EXPECT_GT(ran.probe->statistics().workers[1].thread.silent, kSecond);
  ran.port->queue(1).hangs = false;
  ran.probe->stop();
}

TEST(LiveProbe, NoticesAWorkerThatThrows) {
  Ran ran(with_workers(1), std::make_unique<FakePort>(std::vector<Frames>(1)));
  ran.start();
  ran.port->queue(0).throws = true;
  EXPECT_TRUE(eventually([&] { return !ran.probe->trouble().empty(); }));
  EXPECT_EQ(ran.probe->trouble(), "the worker 0 ended: the cable is on fire");
  EXPECT_FALSE(ran.probe->hangs());
  ran.probe->stop();
}

TEST(LiveProbe, SaysHowMuchMemoryItTakes) {
  const LiveProbe probe(with_workers(2), one_port(std::make_unique<FakePort>(std::vector<Frames>(2))));
  const MemoryPlan plan = probe.memory();
  EXPECT_GT(plan.octets(), 2 * 4096 * sizeof(Flow));
  EXPECT_THAT(plan.text(), testing::StartsWith("2 workers x 4096 flows = "));
  EXPECT_THAT(plan.text(), testing::HasSubstr("dissection "));
}

TEST(LiveProbe, WantsAPort) { EXPECT_THROW(LiveProbe(small_options(), LivePorts{}), std::runtime_error); }

// The workers begin when the dispatcher has read everything: their rings were full long before.
TEST(LiveDispatcher, CountsWhatWorkersHaveNoRoomFor) {
  const Frames frames = repeated(captured({"http_keepalive"}), 1500);
  FakePort port(std::vector<Frames>{frames});
  Lines lines;
  Exporter exporter({&lines});
  const live::Filter filter;
  std::vector<std::unique_ptr<LiveWorker>> workers;
  for (std::size_t i = 0; i < 2; ++i) workers.push_back(std::make_unique<LiveWorker>(i, small_options(), exporter));
  LiveDispatcher dispatcher(small_options(), {&port.queue(0)}, &filter, workers);
  dispatcher.start();
  EXPECT_TRUE(eventually([&] { return port.empty(); }));
  dispatcher.stop();
  dispatcher.thread().join();
  exporter.start();
  for (const auto& w : workers) w->start();
  for (const auto& w : workers) w->stop(steady_now() + 10 * kSecond);
  Statistics s;
  for (const auto& w : workers) {
    w->thread().join();
    s.workers.push_back(w->statistics());
  }
  exporter.stop();
  s.ports.push_back({port.name(), 1, port.counts()});
  s.dispatcher_counters = dispatcher.counters();
  const Identity id = identity_of(s);
  EXPECT_TRUE(id.holds()) << id.offered << " offered, " << id.counted << " counted, " << id.dropped() << " dropped";
  EXPECT_EQ(id.offered, frames.size());
  EXPECT_GT(s.counters()[Counter::dispatch_full], 0u);
  EXPECT_GT(s.counters()[Counter::dispatch_frames_unseen], 0u);
  EXPECT_GT(id.counted, 1000u);
}

TEST(PacketClock, GoesOnWhereThePacketsStopped) {
  PacketClock c;
  EXPECT_FALSE(c.started());
  EXPECT_FALSE(c.advance(1000 * kSecond, 5 * kSecond));
  EXPECT_EQ(c.now(7 * kSecond), 1002 * kSecond);
  EXPECT_FALSE(c.advance(1001 * kSecond, 7 * kSecond));
  EXPECT_EQ(c.now(7 * kSecond), 1001 * kSecond);
}

TEST(PacketClock, IsSetBackByMoreThanStragglers) {
  PacketClock c;
  c.advance(1000 * kSecond, 0);
  EXPECT_FALSE(c.advance(900 * kSecond, kMillisecond));  // the port of another clock, or a straggler
  EXPECT_EQ(c.newest(), 1000 * kSecond);
  EXPECT_TRUE(c.advance(900 * kSecond, 2 * kSecond));
  EXPECT_EQ(c.newest(), 900 * kSecond);
  EXPECT_FALSE(c.advance(899 * kSecond, 9 * kSecond));
}

TEST(LiveProbe, EndsFlowsWhenTheClockIsSetBack) {
  Frames frames = captured({"dns_answers"});
  const Frames before = frames;
  for (kit::BuiltFrame& f : frames) f.time -= 3600 * kSecond;
  auto port = std::make_unique<FakePort>(std::vector<Frames>{before, frames});
  port->queue(1).closed = true;
  Options o = with_workers(1);
  o.capture_merge_window = 0;
  Ran ran(o, std::move(port));
  ran.start();
  EXPECT_TRUE(eventually([&] { return ran.port->queue(0).empty(); }));
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  ran.port->queue(1).closed = false;
  ran.stop();
  EXPECT_EQ(ran.count(Counter::flow_time_set_back), 1u);
  EXPECT_EQ(ran.lines.size(), 2 * replayed(before).size());
}

}  // namespace
}  // namespace probe::run
