// No dissector asks the heap for anything once its pools are there.
#include <gtest/gtest.h>

#include <array>

#include "tests/every_dissector/known_traffic.h"
#include "tests/kit/allocations.h"

namespace probe::test {
namespace {

// Gives every record back.
class Forgetful final : public Scribe {
 public:
  Forgetful() : pools_(each()), notes_(64) {}
  Notebook& notes() override { return notes_; }
  Shared& shared() override { return shared_; }
  FlowEnds ends() const override { return {}; }
  std::size_t committed = 0;

 private:
  static std::array<std::size_t, schema::kKindCount> each() {
    std::array<std::size_t, schema::kKindCount> out;
    out.fill(256);
    return out;
  }
  Record* take(std::size_t kind) override { return pools_.take(kind); }
  void put(Record* r, const Exchange&) override {
    ++committed;
    pools_.give(r);
  }
  RecordPools pools_;
  Notebook notes_;
  Shared shared_{{64, 64}};
};

struct Heap : testing::TestWithParam<const Dissector*> {};

TEST_P(Heap, IsNotUsedAfterTheStart) {
  Forgetful scribe;
  Player player(scribe);
  for (const Traffic& whole : flows_of(*GetParam(), 2000)) {
    const Traffic t = whole.cut(100).swapped();
    std::vector<SentPacket> packets;
    for (const Sent& s : t.packets) packets.emplace_back(t.key, s);
    const std::uint64_t before = kit::allocations();
    player.begin(t);
    for (const SentPacket& p : packets) player.packet(p.packet());
    player.end();
    ASSERT_EQ(kit::allocations(), before);
  }
  EXPECT_GT(scribe.committed, 0u);
}

TEST(Allocations, AreCounted) {
  const std::uint64_t before = kit::allocations();
  ::operator delete(::operator new(1));  // a new expression could be optimised away
  EXPECT_GT(kit::allocations(), before);
}

INSTANTIATE_TEST_SUITE_P(Registry, Heap, testing::ValuesIn(dissectors()), name_of);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Heap);

}  // namespace
}  // namespace probe::test
