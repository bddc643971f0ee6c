#include "probe/dpdk/hardware_clock.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace probe::dpdk {
namespace {

constexpr Nanos kStart = 1'700'000'000 * kSecond;

// A NIC with a clock of its own and a worker that polls it, now and then late.
class Nic {
 public:
  Nic(double ticks_a_nanosecond, std::uint64_t begin) : rate_(ticks_a_nanosecond), begin_(begin) {}

  struct Polled {
    Nanos true_time;
    Nanos time;
  };
  // The next packet, a while later.
  Polled packet(HardwareClock& clock, Nanos later) {
    at_ += later;
    const Nanos late =
        random_() % 50 == 0 ? static_cast<Nanos>(random_() % kMillisecond) : static_cast<Nanos>(random_() % 20'000);
    const auto stamp = begin_ + static_cast<std::uint64_t>(static_cast<double>(at_) * rate_);
    return {kStart + at_, clock.time_of(stamp, kStart + at_ + 1000 + late)};
  }
  Nanos now() const { return at_; }
  void restart() { begin_ = 12345 - static_cast<std::uint64_t>(static_cast<double>(at_) * rate_); }

 private:
  double rate_;
  std::uint64_t begin_;
  Nanos at_ = 0;
  std::mt19937_64 random_{7};
};

void run(Nic& nic, HardwareClock& clock, Nanos until, Nanos between = 20 * kMicrosecond) {
  while (nic.now() < until) nic.packet(clock, between);
}

Nanos worst(Nic& nic, HardwareClock& clock, Nanos until) {
  Nanos worst = 0;
  while (nic.now() < until) {
    const Nic::Polled p = nic.packet(clock, 20 * kMicrosecond);
    worst = std::max(worst, std::abs(p.time - p.true_time));
  }
  return worst;
}

TEST(HardwareClock, FindsRateAndBeginningByItself) {
  for (const double ticks : {1.0, 1.0 + 60e-6, 0.15625, 0.390625 * (1 - 40e-6), 2.5}) {
    Nic nic(ticks, 987'654'321);
    HardwareClock clock;
    run(nic, clock, 5 * kSecond);
    ASSERT_TRUE(clock.trusted()) << ticks;
    EXPECT_LT(worst(nic, clock, 10 * kSecond), 5 * kMicrosecond) << ticks;
  }
}

TEST(HardwareClock, IsNotBelievedBeforeItAgreesWithItself) {
  Nic nic(1.0, 0);
  HardwareClock clock;
  for (int i = 0; i < 50'000; ++i) {  // one second
    const Nic::Polled p = nic.packet(clock, 20 * kMicrosecond);
    ASSERT_GE(p.time, p.true_time) << "the time of the poll, nothing made up";
    ASSERT_LE(p.time, p.true_time + 2 * kMillisecond);
  }
  EXPECT_FALSE(clock.trusted());
}

TEST(HardwareClock, StartsOverWhenTheNicsClockJumps) {
  Nic nic(1.0, std::uint64_t{1} << 60);
  HardwareClock clock;
  run(nic, clock, 5 * kSecond);
  ASSERT_TRUE(clock.trusted());
  nic.restart();
  EXPECT_LT(worst(nic, clock, 6 * kSecond), 2 * kMillisecond);
  run(nic, clock, 12 * kSecond);
  ASSERT_TRUE(clock.trusted());
  EXPECT_LT(worst(nic, clock, 14 * kSecond), 5 * kMicrosecond);
}

TEST(HardwareClock, StampsWithoutSenseGiveTheTimeOfThePoll) {
  for (const std::uint64_t stuck : {std::uint64_t{0}, std::uint64_t{42}, ~std::uint64_t{0}}) {
    HardwareClock clock;
    for (Nanos at = 0; at < 5 * kSecond; at += kMillisecond) ASSERT_EQ(clock.time_of(stuck, kStart + at), kStart + at);
  }
  HardwareClock clock;
  std::mt19937_64 random(3);
  for (Nanos at = 0; at < 20 * kSecond; at += kMillisecond) {
    ASSERT_EQ(clock.time_of(random(), kStart + at), kStart + at);
  }
  EXPECT_FALSE(clock.trusted());
}

TEST(HardwareClock, SurvivesSilenceAndFewPackets) {
  Nic nic(1.0 + 20e-6, 77);
  HardwareClock clock;
  run(nic, clock, 5 * kSecond);
  nic.packet(clock, 30 * kSecond);
  EXPECT_LT(worst(nic, clock, 40 * kSecond), 2 * kMillisecond);
  run(nic, clock, 60 * kSecond, 100 * kMillisecond);
  EXPECT_LT(worst(nic, clock, 70 * kSecond), 2 * kMillisecond);
}

}  // namespace
}  // namespace probe::dpdk
