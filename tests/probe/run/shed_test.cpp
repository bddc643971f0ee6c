// A worker that is offered twice what it can do. Its clock is the test's, so that the outcome is the same on any
// machine: what it does takes time, and meanwhile frames come.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <set>

#include "probe/base/quality.h"
#include "probe/run/identity.h"
#include "probe/run/live_intake.h"
#include "probe/run/live_lane.h"
#include "tests/kit/allocations.h"
#include "tests/probe/run/live_kit.h"

namespace probe::run {
namespace {

using namespace probe::test;

constexpr Nanos kStart = 1'700'000'000 * kSecond;
constexpr Nanos kMeasured = 100 * kMicrosecond, kShed = 10 * kMicrosecond;  // what a packet costs
constexpr std::uint64_t kCapacity = 10'000;                                 // packets a second, all of them measured
constexpr std::uint32_t kAtATime = 2048, kPackets = 8;                      // flows at a time, packets of each

// Traffic: kAtATime flows at a time take turns; each ends after kPackets, and another one takes its place.
std::uint32_t flow_of(std::uint64_t number) {
  const auto place = static_cast<std::uint32_t>(number % kAtATime);
  const auto turn = static_cast<std::uint32_t>(number / kAtATime) + place % kPackets;  // not all begin at once
  return turn / kPackets * kAtATime + place;
}

struct FlowSeen {
  Nanos begin = 0;             // when its first packet came
  std::uint32_t packets = 0;   // that the queue had room for
  std::uint32_t recorded = 0;  // packets in its records
  std::uint32_t records = 0;
  double probability = 1;
  std::uint64_t quality = 0;
};

// A queue of so much room; what does not fit is lost, and counted.
class Wire final : public live::Queue {
 public:
  explicit Wire(std::vector<FlowSeen>& flows) : flows_(flows) {
    const kit::BuiltFrame f =
        kit::ethernet().ipv4("10.0.0.0", "192.0.2.1").udp(40000, 9999).payload("some octets").build();
    for (kit::Octets& o : room_) o = f.octets;
  }

  // Frames come at this rate until then.
  void pass(Nanos now, std::uint64_t rate) {
    for (; next_ <= now; next_ += kSecond / static_cast<Nanos>(rate)) come();
  }
  std::size_t read(std::span<Frame> frames) override {
    std::size_t n = 0;
    for (; n < frames.size() && read_ < came_; ++n, ++read_) {
      const kit::Octets& o = room_[read_ % kRoom];
      frames[n] = Frame{};
      frames[n].octets = o;
      frames[n].wire_length = static_cast<std::uint32_t>(o.size());
      frames[n].link = LinkType::ethernet;
      frames[n].time = times_[read_ % kRoom];
    }
    return n;
  }
  void release(std::size_t n) override { released_ += n; }
  void wait(Nanos) override {}
  std::optional<double> backlog() const override { return static_cast<double>(came_ - read_) / kRoom; }
  live::PortCounts counts() const {
    live::PortCounts c;
    c.received = read_;
    c.dropped_nic = lost_;
    return c;
  }
  std::uint64_t offered_frames() const { return number_; }
  std::uint64_t lost() const { return lost_; }
  bool empty() const { return read_ == came_; }

 private:
  static constexpr std::size_t kRoom = 16'384;
  void come() {
    const std::uint32_t number = flow_of(number_++);
    if (number >= flows_.size()) flows_.resize(2 * number + 1);
    FlowSeen& flow = flows_[number];
    if (flow.begin == 0) flow.begin = next_;
    if (came_ - released_ == kRoom) {
      ++lost_;
      return;
    }
    ++flow.packets;
    kit::Octets& o = room_[came_ % kRoom];
    for (unsigned i = 0; i < 3; ++i) o[14 + 13 + i] = static_cast<std::uint8_t>(number >> (16 - 8 * i));
    times_[came_++ % kRoom] = next_;
  }

  std::vector<FlowSeen>& flows_;
  std::array<kit::Octets, kRoom> room_;
  std::array<Nanos, kRoom> times_{};
  Nanos next_ = kStart;
  std::uint64_t number_ = 0, came_ = 0, read_ = 0, released_ = 0, lost_ = 0;
};

struct Told {
  std::uint32_t flow;
  std::uint64_t packets, quality;
  double probability;
};

class Book final : public Sink {
 public:
  void put(const Record& r) override {
    while (stuck || n >= allowed) std::this_thread::yield();
    const auto source = static_cast<std::uint32_t>(number_in<"sourceIPv4Address">(r));
    const auto other = static_cast<std::uint32_t>(number_in<"destinationIPv4Address">(r));
    const std::uint64_t told = number_in<"samplingProbability">(r);
    records.push_back({(source >> 24 == 10 ? source : other) & 0xffffff,
                       number_in<"packetDeltaCount">(r) + number_in<"reversePacketDeltaCount">(r),
                       number_in<"measurementQuality">(r), told == 0 ? 1 : std::bit_cast<double>(told)});
    n = records.size();
  }
  void turn() override {}
  void finish() override {}
  std::vector<Told> records;
  std::atomic<std::uint64_t> n = 0;
  std::atomic<bool> stuck = false;  // put() does not return
  std::atomic<std::uint64_t> allowed = ~std::uint64_t{0};
};

struct Overloaded {
  std::vector<FlowSeen> flows;
  Book book;
  Exporter exporter{{&book}};
  LiveLane lane;
  Wire wire{flows};
  live::Filter filter;
  LiveIntake intake;
  StageTimes stages;
  Nanos now = kStart;
  std::uint64_t heap = 0;
  double exported_a_second = 0;  // records that the exporter is able to write; 0: as many as there are

  static Options options() {
    Options o = small_options();
    o.sampling_shed = true;
    o.flow_capacity = 131'072;
    o.flow_udp_idle_timeout = 2 * kSecond;
    o.records_flow = 16'384;
    return o;
  }
  explicit Overloaded(const Options& o = options()) : lane(o, exporter), intake(o, {&wire}, &filter, lane.counters()) {
    flows.reserve(1 << 20);
    exporter.start();
  }

  void run(Nanos duration, std::uint64_t rate) {
    for (const Nanos end = now + duration; now < end;) {
      wire.pass(now, rate);
      turn();
      if (exported_a_second > 0)
        book.allowed = static_cast<std::uint64_t>(exported_a_second * static_cast<double>(now - kStart) / kSecond);
      // On this clock the exporter is as fast as it may be.
      const auto behind = [&](std::uint64_t by) {
        return book.n + by < std::min<std::uint64_t>(book.allowed, lane.counters()[Counter::record_flows]);
      };
      while (!book.stuck && behind(exported_a_second > 0 ? 0 : 1000)) std::this_thread::yield();
    }
  }
  void turn() {
    const std::uint64_t before = kit::allocations();
    const std::uint64_t measured = lane.counters()[Counter::flow_packets];
    if (lane.is_to_look(now)) lane.look(intake.backlog(), now);
    const std::size_t n =
        intake.take(now, stages, [&](std::span<const Packet> p, Nanos newest) { lane.on_burst(p, newest, now); });
    if (n == 0) lane.rest(now);
    heap += kit::allocations() - before;
    const std::uint64_t took = lane.counters()[Counter::flow_packets] - measured;
    now += n == 0 ? kMillisecond : static_cast<Nanos>(took) * kMeasured + static_cast<Nanos>(n - took) * kShed;
  }
  void finish() {
    book.allowed = ~std::uint64_t{0};
    while (!wire.empty()) turn();
    lane.finish([] {
      std::this_thread::yield();
      return true;
    });
    exporter.stop();
    for (const Told& t : book.records) {
      FlowSeen& f = flows.at(t.flow);
      ++f.records;
      f.recorded += static_cast<std::uint32_t>(t.packets);
      f.probability = std::min(f.probability, t.probability);
      f.quality |= t.quality;
    }
  }
  Statistics statistics() const {
    Statistics s;
    s.ports.push_back({"wire", 1, wire.counts()});
    lane.fill_in(s.workers.emplace_back());
    return s;
  }
};

TEST(Overload, AtTwiceItsCapacityAWorkerShedsWholeFlowsAndRecovers) {
  Overloaded probe;
  probe.run(5 * kSecond, kCapacity / 2);
  const Nanos overload = probe.now;
  probe.run(60 * kSecond, 2 * kCapacity);
  const Nanos relief = probe.now;
  EXPECT_GE(probe.statistics().workers[0].shed_level, 2u);
  EXPECT_GE(probe.statistics().workers[0].flow_sampling, 2u);
  probe.run(60 * kSecond, kCapacity / 2);
  EXPECT_EQ(probe.statistics().workers[0].shed_level, 0u);
  EXPECT_EQ(probe.statistics().workers[0].flow_sampling, 1u);
  probe.finish();

  const Identity id = identity_of(probe.statistics());
  EXPECT_TRUE(id.holds()) << id.offered << " offered, " << id.counted << " counted, " << id.dropped() << " dropped";
  EXPECT_EQ(id.offered, probe.wire.offered_frames());
  const Counters& counted = probe.lane.counters();
  EXPECT_EQ(counted[Counter::record_exporter_behind] + counted[Counter::flow_evicted], 0u);
  EXPECT_EQ(counted[Counter::shed_flows_joined], 0u);
  EXPECT_LT(probe.wire.lost(), probe.wire.offered_frames() / 1000);
  EXPECT_EQ(probe.heap, 0u);

  std::uint64_t shed = 0, late = 0;
  double estimated = 0, true_packets = 0;
  std::set<double> probabilities;
  for (const FlowSeen& f : probe.flows) {
    if (f.packets == 0) continue;
    ASSERT_LE(f.records, 1u);
    if (f.records == 0)
      ++shed;
    else
      ASSERT_EQ(f.recorded, f.packets);  // nothing of it was left out
    if (f.begin < overload) {
      ASSERT_EQ(f.records, 1u);
    }
    if (f.begin > overload + 5 * kSecond && f.begin < relief) {
      true_packets += f.packets;
      estimated += f.recorded / f.probability;
      probabilities.insert(f.probability);
    }
    if (f.begin < relief + 30 * kSecond) continue;
    ++late;  // long after: as if nothing had been
    ASSERT_EQ(f.records, 1u);
    ASSERT_EQ(f.probability, 1);
    ASSERT_EQ(f.quality & (bit_of(Quality::not_dissected) | bit_of(Quality::sampled_out)), 0u);
  }
  EXPECT_EQ(shed, counted[Counter::shed_flows]);
  EXPECT_GT(late, 10'000u);
  EXPECT_GT(shed, 20'000u);
  for (const double p : probabilities) EXPECT_EQ(std::exp2(std::round(std::log2(p))), p);
  EXPECT_NEAR(estimated / true_packets, 1, 0.1);
  RecordProperty("lost", std::to_string(probe.wire.lost()));
  RecordProperty("measured", std::to_string(counted[Counter::flow_packets]));
}

TEST(Overload, WithoutSheddingPacketsOfAllFlowsAreLostAndCounted) {
  Options o = Overloaded::options();
  o.sampling_shed = false;
  Overloaded probe(o);
  probe.run(10 * kSecond, 2 * kCapacity);
  probe.finish();
  const Identity id = identity_of(probe.statistics());
  EXPECT_TRUE(id.holds());
  EXPECT_EQ(id.offered, probe.wire.offered_frames());
  EXPECT_GT(probe.wire.lost(), probe.wire.offered_frames() / 4);
  EXPECT_EQ(probe.lane.counters()[Counter::shed_packets], 0u);
}

// The first step: flows are still all there, but nobody looks into the payload of new ones.
TEST(Overload, FirstGivesUpTheDissectionOfNewFlows) {
  Options o = Overloaded::options();
  o.sampling_shed_most = 1;
  Overloaded probe(o);
  probe.run(3 * kSecond, 2 * kCapacity);
  EXPECT_EQ(probe.statistics().workers[0].shed_level, 1u);
  probe.finish();
  EXPECT_GT(probe.lane.counters()[Counter::shed_dissection], 1000u);
  EXPECT_EQ(probe.lane.counters()[Counter::shed_packets], 0u);
  EXPECT_TRUE(identity_of(probe.statistics()).holds());
}

TEST(Overload, IsAlsoWhereRecordsUseUpTheirMemory) {
  Overloaded probe;
  probe.run(5 * kSecond, kCapacity / 2);
  probe.book.stuck = true;
  probe.run(10 * kSecond, kCapacity / 2);
  EXPECT_EQ(probe.statistics().workers[0].shed_level, 0u);
  probe.run(20 * kSecond, kCapacity / 2);
  EXPECT_GE(probe.statistics().workers[0].shed_level, 2u);
  probe.book.stuck = false;
  probe.run(60 * kSecond, kCapacity / 2);
  EXPECT_EQ(probe.statistics().workers[0].shed_level, 0u);
  probe.finish();
  EXPECT_GT(probe.lane.counters()[Counter::shed_flows], 100u);
  EXPECT_TRUE(identity_of(probe.statistics()).holds());
}

// It writes two thirds of what comes. When flows are begun no more, those that are under way still have their records.
TEST(Overload, OfTheExporterIsShedBeforeARecordIsLost) {
  Options o = Overloaded::options();
  o.records_flow = 4096;
  Overloaded probe(o);
  probe.exported_a_second = 400;
  probe.run(60 * kSecond, kCapacity / 2);
  probe.finish();
  EXPECT_EQ(probe.lane.counters()[Counter::record_exporter_behind], 0u);
  EXPECT_GT(probe.lane.counters()[Counter::shed_flows], 1000u);
  EXPECT_TRUE(identity_of(probe.statistics()).holds());
}

// A driver that does not tell how much waits, and never returns as much as there is room for.
class MuteQueue final : public live::Queue {
 public:
  std::size_t read(std::span<Frame> frames) override {
    std::fill_n(frames.begin(), has_frames ? 3 : 0, frame_.frame());
    return has_frames ? 3 : 0;
  }
  void release(std::size_t) override {}
  void wait(Nanos) override {}
  bool has_frames = true;

 private:
  const kit::BuiltFrame frame_ = kit::ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(1, 2).payload("").build();
};

TEST(Overload, IsSeenWhereNoReadFindsAnEmptyQueue) {
  MuteQueue queue;
  live::Filter filter;
  Counters counters;
  LiveIntake intake(small_options(), {&queue}, &filter, counters);
  StageTimes stages;
  const auto look = [&](int reads) {
    for (int i = 0; i < reads; ++i) intake.take(kStart, stages, [](std::span<const Packet>, Nanos) {});
    return intake.backlog();
  };
  for (int i = 0; i < 4; ++i) EXPECT_EQ(look(5), 0);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(look(5), 1);
  queue.has_frames = false;
  EXPECT_EQ(look(1), 0);
  queue.has_frames = true;
  for (int i = 0; i < 4; ++i) EXPECT_EQ(look(5), 0);
  EXPECT_EQ(look(0), 0);  // it was not running
  EXPECT_EQ(look(5), 0);
}

TEST(Overload, IsToldByTheQueuesOfARunningProbe) {
  Options o = small_options();
  o.sampling_shed = true;
  o.sampling_shed_most = 4;
  auto port = std::make_unique<FakePort>(std::vector<Frames>{captured({"dns_answers"})});
  FakeQueue& queue = port->queue(0);
  LiveProbe probe(o, one_port(std::move(port)));
  const auto level = [&] { return probe.statistics().workers[0].shed_level; };
  probe.start();
  queue.waiting = 0.6;
  EXPECT_TRUE(eventually([&] { return level() == 3; }));
  EXPECT_EQ(probe.statistics().workers[0].flow_sampling, 4u);
  queue.waiting = 0;
  EXPECT_TRUE(eventually([&] { return level() == 0; }));
  probe.stop();
}

}  // namespace
}  // namespace probe::run
