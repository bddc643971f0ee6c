#include "probe/monitor/ranks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "exporter/record/record.h"
#include "tests/exporter/samples.h"

namespace probe::monitor {
namespace {

using namespace std::chrono_literals;
using Ip = std::array<std::uint8_t, 4>;

std::uint32_t number_of(Ip ip) { return std::uint32_t{ip[0]} << 24 | ip[1] << 16 | ip[2] << 8 | ip[3]; }

class Ranking : public testing::Test {
 protected:
  void flow(Ip client, Ip server, std::uint64_t octets, std::uint32_t again = 0, std::uint64_t packets = 10) {
    Draft<"flow"> d(pools_.take(schema::find_kind("flow")));
    ASSERT_TRUE(d);
    d.set<"sourceIPv4Address">(number_of(client));
    d.set<"destinationIPv4Address">(number_of(server));
    d.set<"destinationTransportPort">(std::uint16_t{80});
    d.set<"protocolIdentifier">(std::uint8_t{6});
    d.set<"octetDeltaCount">(octets);
    d.set<"packetDeltaCount">(packets);
    d.set<"tcpRetransmittedPacketCount">(again);
    d.set<"applicationName">("http");
    put(d);
  }
  void transaction(Ip server, std::uint64_t us) {
    Draft<"dns"> d(pools_.take(schema::find_kind("dns")));
    ASSERT_TRUE(d);
    d.set<"sourceIPv4Address">(number_of({192, 0, 2, 1}));
    d.set<"destinationIPv4Address">(number_of(server));
    d.set<"serverResponseTimeMicroseconds">(us);
    put(d);
  }
  template <class D>
  void put(D& d) {
    Record* r = d.release();
    sink_->put(*r);
    pools_.give(r);
  }
  void interval(std::chrono::nanoseconds longest) {
    sink_ = std::make_unique<RankingSink>(longest, [this] { return now_; });
  }
  void SetUp() override { interval(0s); }
  Ranks ranks() {
    sink_->flush();
    return sink_->ranks();
  }

  RecordPools pools_{samples::slots(4)};
  RankingSink::Clock::time_point now_{};
  std::unique_ptr<RankingSink> sink_;
};

TEST_F(Ranking, PutsTheTalkerWithMostOctetsFirst) {
  flow({10, 0, 0, 1}, {10, 0, 0, 9}, 100);
  flow({10, 0, 0, 2}, {10, 0, 0, 9}, 150);
  flow({10, 0, 0, 1}, {10, 0, 0, 9}, 100);
  const Ranks r = ranks();
  ASSERT_EQ(r.talkers.size(), 2u);
  EXPECT_EQ(r.talkers[0].client, "10.0.0.1");
  EXPECT_EQ(r.talkers[0].server, "10.0.0.9");
  EXPECT_EQ(r.talkers[0].application, "http");
  EXPECT_EQ(r.talkers[0].octets, 200u);
  EXPECT_EQ(r.talkers[0].packets, 20u);
  EXPECT_EQ(r.talkers[0].flows, 2u);
}

TEST_F(Ranking, PutsTheServerWithTheGreatestMeanFirst) {
  for (int i = 0; i < 10; ++i) transaction({10, 0, 0, 8}, 900);
  transaction({10, 0, 0, 9}, 1000);
  transaction({10, 0, 0, 9}, 3000);
  const Ranks r = ranks();
  ASSERT_EQ(r.slowest.size(), 2u);
  EXPECT_EQ(r.slowest[0].server, "10.0.0.9");
  EXPECT_EQ(r.slowest[0].kind, "dns");
  EXPECT_EQ(r.slowest[0].mean_us, 2000u);
  EXPECT_EQ(r.slowest[0].max_us, 3000u);
  EXPECT_EQ(r.slowest[1].transactions, 10u);
}

TEST_F(Ranking, NamesWhoSendsAgainAndHowMuchOfIt) {
  flow({10, 0, 0, 1}, {10, 0, 0, 9}, 100, 0, 50);
  flow({10, 0, 0, 2}, {10, 0, 0, 9}, 100, 3, 20);
  flow({10, 0, 0, 2}, {10, 0, 0, 9}, 100, 0, 40);
  const Ranks r = ranks();
  ASSERT_EQ(r.retransmitters.size(), 1u);
  EXPECT_EQ(r.retransmitters[0].host, "10.0.0.2");
  EXPECT_EQ(r.retransmitters[0].retransmitted, 3u);
  EXPECT_EQ(r.retransmitters[0].packets, 60u);
}

TEST_F(Ranking, ForgetsWhatIsOlderThanAMinute) {
  flow({10, 0, 0, 1}, {10, 0, 0, 9}, 100);
  now_ += 31s;
  EXPECT_EQ(ranks().talkers.size(), 1u);
  flow({10, 0, 0, 2}, {10, 0, 0, 9}, 50);
  now_ += 20s;
  Ranks r = ranks();
  EXPECT_EQ(r.talkers.size(), 2u);
  EXPECT_EQ(r.flow_seconds, 51);
  now_ += 11s;
  ranks();
  r = ranks();
  ASSERT_EQ(r.talkers.size(), 1u);
  EXPECT_EQ(r.talkers[0].client, "10.0.0.2");
}

// A flow that goes on for hours is in a record every active timeout only.
TEST_F(Ranking, NeverLosesAFlowThatGoesOn) {
  interval(5min);
  for (int minute = 0; minute < 60; ++minute) {
    if (minute % 5 == 0) flow({10, 0, 0, 1}, {10, 0, 0, 9}, 1'000'000);
    flow({10, 0, 0, 2}, {10, 0, 0, 9}, 50);
    transaction({10, 0, 0, 9}, 1000);
    for (int s = 0; s < 60; ++s) {
      now_ += 1s;
      const Ranks r = ranks();
      ASSERT_EQ(r.talkers.size(), 2u) << minute << ":" << s;
      ASSERT_EQ(r.talkers[0].client, "10.0.0.1");
      ASSERT_LE(r.flow_seconds, 601);
      ASSERT_LE(r.seconds, 61);
    }
  }
}

TEST_F(Ranking, ShowsTenOfAsManyAsThereAre) {
  for (int i = 0; i < 3000; ++i)
    flow({10, 1, static_cast<std::uint8_t>(i / 256), static_cast<std::uint8_t>(i)}, {10, 0, 0, 9}, 10);
  for (int n = 0; n < 100; ++n)
    for (std::uint8_t i = 0; i < 10; ++i) flow({10, 9, 9, i}, {10, 0, 0, 9}, 1000u + i);
  const Ranks r = ranks();
  ASSERT_EQ(r.talkers.size(), RankingSink::kShown);
  for (std::size_t i = 0; i < r.talkers.size(); ++i) EXPECT_EQ(r.talkers[i].client, "10.9.9." + std::to_string(9 - i));
}

TEST_F(Ranking, TakesAnyRecord) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 2000; ++i) {
    const std::size_t kind = random() % schema::kKindCount;
    Record* r = samples::make(pools_, random, kind, samples::random_groups(random, kind));
    ASSERT_NE(r, nullptr);
    sink_->put(*r);
    pools_.give(r);
  }
  EXPECT_EQ(ranks().talkers.size(), RankingSink::kShown);
}

}  // namespace
}  // namespace probe::monitor
