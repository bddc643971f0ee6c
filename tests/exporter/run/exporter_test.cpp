#include "exporter/run/exporter.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/exporter/samples.h"

namespace probe {
namespace {

// A place that is a number in every kind of record.
std::size_t number_of(const Record& r) {
  static constexpr schema::PlaceByKind kPlaces = schema::places_of(schema::find_element("flowId"));
  return kPlaces[r.kind()];
}

struct Counting : Sink {
  void put(const Record& r) override {
    ++records;
    sum += r.number(number_of(r));
    if (records == throw_at) throw std::runtime_error("the disk is on fire");
  }
  void turn() override { ++turns; }
  void finish() override { ++finished; }
  std::uint64_t records = 0, sum = 0, turns = 0, finished = 0, throw_at = 0;
};

// A worker: takes records from its pool, pushes them, and takes them back.
struct Worker {
  static constexpr std::size_t kRecords = 64;
  std::array<std::size_t, schema::kKindCount> slots = samples::slots(kRecords / schema::kKindCount);
  RecordPools pools{slots};
  Ring<Record*> out{kRecords}, back{kRecords};
  std::uint64_t sum = 0;

  void work(int count) {
    for (int i = 0; i < count;) {
      Record* r = nullptr;
      while (back.pop(r)) pools.give(r);
      if (!(r = pools.take(static_cast<std::size_t>(i) % schema::kKindCount))) continue;
      samples::set_number(*r, number_of(*r), static_cast<std::uint64_t>(i));
      sum += r->number(number_of(*r));
      while (!out.push(r)) std::this_thread::yield();
      ++i;
    }
  }
};

TEST(Exporter, GivesEveryRecordToEverySinkAndBack) {
  Counting a, b;
  Worker one, two;
  Exporter exporter({&a, &b});
  exporter.add_lane(one.out, one.back);
  exporter.add_lane(two.out, two.back);
  exporter.start();
  std::thread first([&] { one.work(20'000); }), second([&] { two.work(20'000); });
  first.join();
  second.join();
  exporter.stop();
  EXPECT_EQ(exporter.records(), 40'000u);
  for (const Counting* s : {&a, &b}) {
    EXPECT_EQ(s->records, 40'000u);
    EXPECT_EQ(s->sum, one.sum + two.sum);
    EXPECT_EQ(s->finished, 1u);
  }
  Record* r = nullptr;
  for (Worker* w : {&one, &two}) {
    while (w->back.pop(r)) w->pools.give(r);
    for (std::size_t k = 0; k < schema::kKindCount; ++k) EXPECT_EQ(w->pools.in_use(k), 0u);
  }
}

TEST(Exporter, SleepsAndKeepsTurningWhileNothingComes) {
  Counting a;
  Exporter exporter({&a});
  exporter.start();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  exporter.stop();
  EXPECT_GT(a.turns, 10u);
  EXPECT_LT(a.turns, 2000u);
}

TEST(Exporter, PassesOnWhatASinkThrowsAndStillReturnsTheRecords) {
  Counting a;
  a.throw_at = 100;
  Worker one;
  Exporter exporter({&a});
  exporter.add_lane(one.out, one.back);
  exporter.start();
  one.work(1000);
  EXPECT_THROW(exporter.stop(), std::runtime_error);
  Record* r = nullptr;
  while (one.back.pop(r)) one.pools.give(r);
  for (std::size_t k = 0; k < schema::kKindCount; ++k) EXPECT_EQ(one.pools.in_use(k), 0u);
  EXPECT_EQ(a.finished, 1u);
}

TEST(Exporter, DeliversWithoutAThread) {
  Counting a;
  Worker one;
  Exporter exporter({&a});
  Record* r = one.pools.take(0);
  exporter.deliver(*r);
  exporter.finish();
  EXPECT_EQ(a.records, 1u);
  EXPECT_EQ(a.finished, 1u);
}

}  // namespace
}  // namespace probe
