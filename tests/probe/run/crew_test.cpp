#include "probe/run/crew.h"

#include <gtest/gtest.h>

#include "tests/probe/run/live_kit.h"

namespace probe::test {
namespace {

// A batch for a worker is full in the middle of a burst whose last frame comes two minutes later: the flows of the
// others are not over.
TEST(Crew, WorkersDoNotChangeRecordsWhereTimeJumpsInABurst) {
  const auto at = [](Nanos t, std::uint16_t port, std::size_t octets) {
    return kit::ethernet().ipv4("10.0.0.1", "10.0.0.2").udp(port, 9).zeros(octets).time(kSecond + t).build();
  };
  Frames frames;
  for (int i = 0; i < 600; ++i) frames.push_back(at(i * kMicrosecond, 1, 100));
  const std::size_t first_that_does_not_fit = run::Batch::kPackets, burst = Pipeline::kMostPackets;
  frames[first_that_does_not_fit + burst - 1].time += 120 * kSecond;
  run::Options o = small_options();
  o.capture_workers = 2;
  EXPECT_EQ(replayed(frames, o), replayed(frames));
}

}  // namespace
}  // namespace probe::test
