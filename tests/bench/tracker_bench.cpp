// What the tracker costs for ordinary packets: two data segments, then their acknowledgement. docs/PERFORMANCE.md.
#include <benchmark/benchmark.h>

#include <deque>

#include "probe/tcp/tracker.h"

namespace {

using namespace probe;

struct Conversation {
  tcp::Tracker tracker;
  Packet packet;
  std::uint32_t sequence = 1000;
  std::uint16_t id = 1;
  unsigned turn = 0;

  void step(Nanos now) {
    packet.time = now;
    packet.tcp.timestamp_value = static_cast<std::uint32_t>(now / kMillisecond);
    const bool acknowledges = ++turn % 3 == 0;
    packet.payload_length = acknowledges ? 0 : 1448;
    packet.ip_id = ++id;
    packet.tcp.sequence = acknowledges ? 7 : sequence;
    packet.tcp.acknowledgement = acknowledges ? sequence : 7;
    sequence += packet.payload_length;
    tracker.on_segment(packet, acknowledges);
  }
  explicit Conversation(tcp::TroublesPool& troubles) : tracker(troubles) {
    packet.key.protocol = ip_protocol::kTcp;
    packet.tcp.flags = tcp_flag::kAck;
    packet.tcp.window = 500;
    packet.tcp.has_timestamps = true;
  }
};

// One after the other, as a burst brings them: with one connection all is in the cache, with many nothing is.
void ordinary_packets(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  tcp::TroublesPool troubles(2 * n);
  std::deque<Conversation> all;
  while (all.size() < n) all.emplace_back(troubles);
  Nanos now = kSecond;
  std::size_t i = 0;
  for ([[maybe_unused]] auto _ : state) {
    all[i].step(now += 20 * kMicrosecond);
    if ((i += 7919) >= all.size()) i %= all.size();
  }
}
BENCHMARK(ordinary_packets)->Arg(1)->Arg(100'000);

void construction(benchmark::State& state) {
  tcp::TroublesPool troubles(2);
  for ([[maybe_unused]] auto _ : state) {
    tcp::Tracker t(troubles);
    benchmark::DoNotOptimize(t);
  }
}
BENCHMARK(construction);

}  // namespace

BENCHMARK_MAIN();
