#include "probe/tcp/rtt_sketch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace probe::tcp {
namespace {

class Sketch {
 public:
  void add(std::uint32_t us) {
    if (!sketch_.add_home(us)) sketch_.add(us, others_);
  }
  std::uint32_t percentile(unsigned percent) const { return sketch_.percentiles({percent, percent, 100}, &others_)[1]; }

 private:
  RttSketch sketch_;
  RttCounts others_;
};

// The value of that rank, exactly.
std::uint32_t exact(std::vector<std::uint32_t> samples, unsigned percent) {
  std::sort(samples.begin(), samples.end());
  return samples[std::max<std::size_t>((samples.size() * percent + 99) / 100, 1) - 1];
}

constexpr double kError = 0.0313;  // half of the widest bucket, 1/16 of its least value

TEST(RttSketch, BucketsAreSideBySideAndNarrow) {
  for (unsigned b = 0; b + 1 < RttBucket::of(UINT32_MAX); ++b) {
    const std::uint32_t low = RttBucket::lowest(b), width = RttBucket::width(b);
    EXPECT_EQ(RttBucket::lowest(b + 1), low + width);
    EXPECT_EQ(RttBucket::of(low), b);
    EXPECT_EQ(RttBucket::of(low + width - 1), b);
    EXPECT_TRUE(low < 16 || width * 16 <= low);
  }
}

TEST(RttSketch, TellsThreeAtATime) {
  RttSketch s;
  RttCounts none;
  for (std::uint32_t us = 16; us < 32; ++us) s.add(us, none);  // buckets of one
  EXPECT_EQ(s.percentiles({6, 50, 100}, &none), (RttSketch::Three{16, 23, 31}));
  EXPECT_EQ(s.percentiles({7, 7, 8}, &none), (RttSketch::Three{17, 17, 17}));
}

TEST(RttSketch, TellsNothingWithoutSamples) { EXPECT_EQ(Sketch().percentile(50), 0u); }

TEST(RttSketch, OneSampleIsAllPercentiles) {
  for (const std::uint32_t us : {0u, 1u, 15u, 31u, 20'000u, 3'000'000u, UINT32_MAX}) {
    Sketch s;
    s.add(us);
    for (const unsigned percent : {1u, 50u, 99u, 100u}) EXPECT_NEAR(s.percentile(percent), us, us * kError) << us;
  }
}

TEST(RttSketch, PercentilesAreWithinThreePercent) {
  std::mt19937 random(1);
  for (const double spread : {0.05, 0.5, 1.0}) {
    for (const double middle : {80.0, 3'000.0, 150'000.0}) {
      Sketch s;
      std::vector<std::uint32_t> all;
      std::lognormal_distribution<double> draw(std::log(middle), spread);
      for (int i = 0; i < 20'000; ++i) {
        all.push_back(static_cast<std::uint32_t>(draw(random)));
        s.add(all.back());
      }
      for (const unsigned percent : {5u, 50u, 95u, 99u}) {
        const std::uint32_t truth = exact(all, percent);
        EXPECT_NEAR(s.percentile(percent), truth, truth * kError + 1) << middle << " " << spread << " " << percent;
      }
    }
  }
}

TEST(RttSketch, KeepsAFactorOfTwoHundredWhateverCameFirst) {
  for (const bool low_first : {true, false}) {
    Sketch s;
    for (int i = 0; i < 100; ++i) {
      s.add(low_first ? 200 : 40'000);
      s.add(low_first ? 40'000 : 200);
    }
    EXPECT_NEAR(s.percentile(50), 200, 200 * kError);
    EXPECT_NEAR(s.percentile(51), 40'000, 40'000 * kError);
  }
}

TEST(RttSketch, WhatIsFarBelowCountsAsTheLeastThatIsKept) {
  for (const std::uint32_t far : {2'000'000u, 200'000'000u, 4'000'000'000u}) {
    for (const bool low_first : {true, false}) {
      Sketch s;
      for (int i = 0; i < 10; ++i) s.add(low_first ? 20 : far);
      for (int i = 0; i < 10; ++i) s.add(low_first ? far : 20);
      EXPECT_NEAR(s.percentile(95), far, far * kError);
      EXPECT_NEAR(s.percentile(51), far, far * kError);  // none was lost
      EXPECT_LT(s.percentile(50), far / 100);
    }
  }
}

TEST(RttSketch, MovesUpWithRoundTripsThatGrow) {
  Sketch s;
  std::vector<std::uint32_t> all;
  for (double us = 10; us < 4e9; us *= 1.01) {
    all.push_back(static_cast<std::uint32_t>(us));
    s.add(all.back());
  }
  for (const unsigned percent : {75u, 90u, 99u}) {
    const std::uint32_t truth = exact(all, percent);
    EXPECT_NEAR(s.percentile(percent), truth, truth * kError) << percent;
  }
}

TEST(RttSketch, FullCountsAreHalvedTogether) {
  Sketch s;
  for (int i = 0; i < 300'000; ++i) {
    s.add(1000);
    if (i % 50 == 0) s.add(500'000);
    if (i % 4 == 0) s.add(1100);
  }
  EXPECT_NEAR(s.percentile(50), 1000, 1000 * kError);
  EXPECT_NEAR(s.percentile(95), 1100, 1100 * kError);
  EXPECT_NEAR(s.percentile(99), 500'000, 500'000 * kError);
}

}  // namespace
}  // namespace probe::tcp
