#include "probe/live/merge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <random>
#include <vector>

#include "tests/kit/allocations.h"

namespace probe::live {
namespace {

// Hands out frames when their time to come has come; knows what was not given back.
class FakeQueue final : public Queue {
 public:
  explicit FakeQueue(std::uint16_t port, Nanos delay = 0) : port_(port), delay_(delay) {}

  void comes(Nanos time, Nanos arrival) { coming_.push_back({time, arrival}); }
  void comes(Nanos time) { comes(time, time); }
  void at(Nanos now) { now_ = now; }

  std::size_t read(std::span<Frame> frames) override {
    std::size_t n = 0;
    for (; n < frames.size() && begin_ < coming_.size() && coming_[begin_].arrival <= now_; ++n, ++begin_) {
      frames[n] = {};
      frames[n].port = port_;
      frames[n].time = coming_[begin_].time;
      frames[n].wire_length = static_cast<std::uint32_t>(begin_);
    }
    lent_ += n;
    return n;
  }
  void release(std::size_t frames) override {
    ASSERT_LE(frames, lent_);
    lent_ -= frames;
  }
  void wait(Nanos most) override { waited_ += most; }
  Nanos delay() const override { return delay_; }

  std::size_t lent() const { return lent_; }
  Nanos waited() const { return waited_; }

 private:
  struct Coming {
    Nanos time, arrival;
  };
  const std::uint16_t port_;
  const Nanos delay_;
  std::vector<Coming> coming_;
  std::size_t begin_ = 0, lent_ = 0;
  Nanos now_ = 0, waited_ = 0;
};

struct Both {
  FakeQueue a, b;
  Counters counters;
  Merge merge;

  explicit Both(MergeOptions o = {}, Nanos delay = 0) : a(0, delay), b(1), merge({&a, &b}, o, counters) {}

  std::vector<Nanos> read(Nanos now, std::size_t most = 64) {
    a.at(now);
    b.at(now);
    std::vector<Frame> frames(most);
    const std::size_t n = merge.read(frames, now);
    std::vector<Nanos> times;
    for (std::size_t i = 0; i < n; ++i) times.push_back(frames[i].time);
    return times;
  }
  std::uint64_t late() const { return counters[Counter::capture_merge_late]; }
};

using Times = std::vector<Nanos>;
constexpr Nanos kUs = kMicrosecond;

TEST(Merge, PutsInOrderWhatIsInversedByLessThanTheWindow) {
  Both q;
  q.a.comes(10 * kUs);
  q.b.comes(5 * kUs, 90 * kUs);
  EXPECT_EQ(q.read(50 * kUs), Times{});
  EXPECT_EQ(q.read(90 * kUs), Times{5 * kUs}) << "a later one of b may still belong in front of a's";
  EXPECT_EQ(q.read(109 * kUs), Times{});
  EXPECT_EQ(q.read(110 * kUs), Times{10 * kUs});
  EXPECT_EQ(q.late(), 0u);
}

TEST(Merge, HoldsNothingBackWhileEveryQueueHasFrames) {
  Both q;
  for (int i = 0; i < 10; ++i) {
    q.a.comes(2 * i);
    q.b.comes(2 * i + 1);
  }
  Times all;
  for (int i = 0; i < 19; ++i) all.push_back(i);
  EXPECT_EQ(q.read(20), all);
}

TEST(Merge, HandsOutAtOnceAndCountsWhatComesLaterThanTheWindow) {
  Both q;
  q.a.comes(10 * kUs);
  q.b.comes(5 * kUs, 200 * kUs);
  q.b.comes(6 * kUs, 200 * kUs);
  EXPECT_EQ(q.read(110 * kUs), Times{10 * kUs});
  EXPECT_EQ(q.read(200 * kUs), (Times{5 * kUs, 6 * kUs}));
  EXPECT_EQ(q.late(), 2u);
}

TEST(Merge, DoesNotBlameTheWindowForAQueueThatIsOutOfOrderItself) {
  Both q;
  q.a.comes(10);
  q.a.comes(5);
  EXPECT_EQ(q.read(kSecond), (Times{10, 5}));
  EXPECT_EQ(q.late(), 0u);
}

TEST(Merge, WaitsForTheQueueThatIsLateByItself) {
  Both q({}, 3 * kMillisecond);
  q.b.comes(10 * kUs);
  q.a.comes(5 * kUs, 3 * kMillisecond);
  EXPECT_EQ(q.read(200 * kUs), Times{});
  EXPECT_EQ(q.read(3 * kMillisecond), Times{5 * kUs});
  EXPECT_EQ(q.read(3 * kMillisecond + 110 * kUs), Times{10 * kUs});
  EXPECT_EQ(q.late(), 0u);
}

TEST(Merge, GivesEachQueueBackItsOwnFrames) {
  Both q;
  q.a.comes(1);
  q.b.comes(2);
  q.b.comes(3);
  q.a.comes(4);
  q.a.comes(5);
  EXPECT_EQ(q.read(kSecond), (Times{1, 2, 3, 4, 5}));
  q.merge.release(2);
  EXPECT_EQ(q.a.lent(), 2u);
  EXPECT_EQ(q.b.lent(), 1u);
  q.merge.release(1);
  EXPECT_EQ(q.b.lent(), 0u);
  q.merge.release(2);
  EXPECT_EQ(q.a.lent(), 0u);
}

TEST(Merge, HoldsNoMoreThanItsBound) {
  Both q({.window = kSecond, .most_held = 256});
  for (int i = 0; i < 1000; ++i) q.a.comes(i, 0);
  std::size_t got = 0;
  for (int turn = 0; turn < 40; ++turn) {
    got += q.read(1000).size();
    EXPECT_LE(q.a.lent() - got, 256u);
  }
  EXPECT_GE(got, 1000u - 256) << "what is held must not dam up what comes";
  EXPECT_LE(got, 1000u - 128) << "the rest waits for its time";
  for (int turn = 0; turn < 10; ++turn) got += q.read(2 * kSecond).size();
  EXPECT_EQ(got, 1000u);
}

TEST(Merge, LeavesWithALateQueueWhatMustWait) {
  Both q({}, kMillisecond);
  for (int i = 0; i < 1000; ++i) q.a.comes(i, 0);
  for (int turn = 0; turn < 40; ++turn) EXPECT_EQ(q.read(1000), Times{});
  EXPECT_LE(q.a.lent(), 64u);
  EXPECT_EQ(q.read(2 * kMillisecond, 1000).size(), 1000u);
}

TEST(Merge, LendsNoMoreThanItsBound) {
  Both q({.most_lent = 4});
  for (int i = 0; i < 10; ++i) q.a.comes(i);
  EXPECT_EQ(q.read(kSecond), (Times{0, 1, 2, 3}));
  EXPECT_EQ(q.read(kSecond), Times{});
  q.merge.release(3);
  EXPECT_EQ(q.read(kSecond), (Times{4, 5, 6}));
}

TEST(Merge, HandsOutTheRestWhenNoMoreComes) {
  Both q;
  q.a.comes(0);
  q.b.comes(1);
  EXPECT_EQ(q.read(2, 1), Times{0});
  EXPECT_EQ(q.read(2), Times{});
  EXPECT_EQ(q.read(Merge::kNoMore), Times{1});
}

TEST(Merge, PassesASingleQueueThrough) {
  FakeQueue only(3);
  Counters counters;
  Merge merge({&only}, {.most_lent = 1}, counters);
  only.comes(7);
  only.comes(6);
  only.at(7);
  std::array<Frame, 4> frames;
  ASSERT_EQ(merge.read(frames, 0), 2u);
  EXPECT_EQ(frames[0].port, 3);
  EXPECT_EQ(frames[1].time, 6);
  merge.release(2);
  EXPECT_EQ(only.lent(), 0u);
  merge.wait(kMillisecond);
  EXPECT_EQ(only.waited(), kMillisecond);
}

TEST(Merge, SharesTheTimeToSleepBetweenItsQueues) {
  Both q;
  q.merge.wait(10 * kMillisecond);
  EXPECT_EQ(q.a.waited(), 5 * kMillisecond);
  EXPECT_EQ(q.b.waited(), 5 * kMillisecond);
}

TEST(Merge, SleepsOnlyForTheWindowWhileFramesAreHeldBack) {
  Both q;
  q.a.comes(0);
  q.read(0);
  q.merge.wait(10 * kMillisecond);
  EXPECT_EQ(q.a.waited(), 0) << "it has frames";
  EXPECT_LE(q.b.waited(), 100 * kUs);
}

TEST(Merge, GivesRandomTrafficBackInOrderWholeAndOnce) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    Counters counters;
    std::deque<FakeQueue> queues;
    std::vector<Queue*> all;
    for (std::uint16_t port = 0; port < 3; ++port) all.push_back(&queues.emplace_back(port));
    Merge merge(all, {.window = 100 * kUs, .most_held = 300, .most_lent = 100}, counters);
    Times latest(3, 0);
    constexpr std::size_t kFrames = 2000;
    Nanos time = 0;
    for (std::size_t i = 0; i < kFrames; ++i) {
      time += static_cast<Nanos>(random() % 3'000);
      const std::size_t port = random() % 3;
      // A queue hands over in its own order, up to the window late.
      latest[port] = std::max(latest[port], time + static_cast<Nanos>(random() % 100'000));
      queues[port].comes(time, latest[port]);
    }
    std::array<Frame, 32> frames;
    std::array<std::uint32_t, 3> next{};
    std::size_t got = 0, lent = 0;
    Nanos last = 0;
    for (Nanos now = 0; got < kFrames && now < 2 * kSecond; now += 1 + static_cast<Nanos>(random() % 20'000)) {
      for (FakeQueue& q : queues) q.at(now);
      const std::size_t n = merge.read(std::span(frames).first(1 + random() % frames.size()), now);
      for (std::size_t i = 0; i < n; ++i) {
        EXPECT_GE(frames[i].time, last);
        last = frames[i].time;
        EXPECT_EQ(frames[i].wire_length, next[frames[i].port]++);
      }
      got += n;
      lent += n;
      const std::size_t back = random() % (lent + 1);
      merge.release(back);
      lent -= back;
    }
    ASSERT_EQ(got, kFrames);
    EXPECT_EQ(counters[Counter::capture_merge_late], 0u);
    merge.release(lent);
    for (const FakeQueue& q : queues) EXPECT_EQ(q.lent(), 0u);
  }
}

TEST(Merge, AsksNothingOfTheHeap) {
  Both q;
  for (int i = 0; i < 1000; ++i) (i % 3 == 0 ? q.a : q.b).comes(i);
  std::array<Frame, 64> frames;
  q.a.at(kSecond);
  q.b.at(kSecond);
  const std::uint64_t before = kit::allocations();
  std::size_t got = 0;
  while (const std::size_t n = q.merge.read(frames, kSecond)) {
    got += n;
    q.merge.release(n);
  }
  EXPECT_EQ(got, 1000u);
  EXPECT_EQ(kit::allocations(), before);
}

}  // namespace
}  // namespace probe::live
