// What a segment costs between the flow and the dissector: CPU time of this thread, and allocations, of which there
// must be none (exit code 1). Arguments: how many million segments of each kind (default 5).
#include <time.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "probe/pipeline/conversation.h"
#include "tests/kit/allocations.h"

namespace {

using namespace probe;

// Answers as the measurement asks, and writes nothing.
class Answering final : public Session {
 public:
  static Guess guess(Bytes, Side) { return Guess::from_client; }
  Step on_data(Side, Bytes data, Arrival, Scribe&) override {
    if (data.size() < message) return Step::need(message);
    return skips ? Step::skip(std::uint64_t{1} << 50) : Step::used(data.size());
  }
  static inline bool skips = false;
  static inline std::size_t message = 1;
};
constexpr std::uint16_t kPorts[] = {80};
constexpr Dissector kAnswering = describe<Answering>("answering", Over::tcp, kPorts);
constexpr const Dissector* kAll[] = {&kAnswering};

class Nothing final : public Scribe {
 public:
  Notebook& notes() override { return notes_; }
  Shared& shared() override { return shared_; }
  FlowEnds ends() const override { return {}; }

 private:
  Record* take(std::size_t) override { return nullptr; }
  void put(Record*, const Exchange&) override {}
  Notebook notes_{1};
  Shared shared_{{64, 64}};
};

double cpu_ns() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

struct Flows {
  explicit Flows(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) all.push_back({dissection.open(), 1});
  }
  ~Flows() {
    for (auto& f : all) {
      f.conversation->finish(scribe);
      dissection.close(f.conversation);
    }
  }
  struct Flow {
    Conversation* conversation;
    std::uint32_t next;
  };
  Counters counters;
  Dissection dissection{DissectionOptions{}, counters, kAll};
  Nothing scribe;
  std::vector<Flow> all;
};

// `order`: by how much the n-th segment of a flow comes before or after its turn.
template <class Order>
bool measure(const char* what, std::size_t flows, std::uint64_t segments, std::uint32_t octets, Order order) {
  Flows f(flows);
  static const std::string payload(1460, 'x');
  FlowFacts facts;
  facts.client_certain = facts.start_seen = true;
  facts.first_known = {true, true};
  facts.first_sequence = {1, 1};
  Packet p;
  p.key.protocol = ip_protocol::kTcp;
  p.payload = as_bytes(payload).first(octets);
  p.payload_length = octets;
  p.tcp.flags = tcp_flag::kAck;
  p.tcp.acknowledgement = 1;
  const auto play = [&](std::uint64_t n) {
    for (std::uint64_t i = 0; i < n; ++i) {
      Flows::Flow& flow = f.all[i % flows];
      p.tcp.sequence = flow.next + static_cast<std::uint32_t>(order(i / flows)) * octets;
      flow.next += octets;
      p.time = static_cast<Nanos>(i);
      flow.conversation->on_payload(p, facts, f.scribe);
    }
  };
  play(4 * flows);
  const std::uint64_t before = kit::allocations();
  const double start = cpu_ns();
  play(segments);
  const double ns = (cpu_ns() - start) / static_cast<double>(segments);
  const std::uint64_t allocations = kit::allocations() - before;
  std::printf("%-58s %6.1f ns  %llu allocations\n", what, ns, static_cast<unsigned long long>(allocations));
  return allocations == 0;
}

}  // namespace

int main(int count, char** arguments) {
  const std::uint64_t n = (count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 5) * 1'000'000 / 4096 * 4096;
  const auto straight = [](std::uint64_t) { return 0; };
  const auto crossed = [](std::uint64_t i) { return i % 2 == 0 ? 1 : -1; };
  bool good = true;
  Answering::skips = true;
  good &= measure("in a skip, in order, one flow", 1, n, 1460, straight);
  good &= measure("in a skip, in order, 1024 flows in turn", 1024, n, 1460, straight);
  good &= measure("in a skip, every second one early, 1024 flows", 1024, n, 1460, crossed);
  Answering::skips = false;
  good &= measure("messages of 200 octets, in order, one flow", 1, n, 200, straight);
  good &= measure("messages of 200 octets, in order, 1024 flows in turn", 1024, n, 200, straight);
  good &= measure("messages of 200 octets, every second one early, 1024 flows", 1024, n, 200, crossed);
  good &= measure("messages of 1460 octets, every second one early, 1024 flows", 1024, n, 1460, crossed);
  Answering::message = 400;
  good &= measure("messages of 400 octets in two segments, 1024 flows", 1024, n, 200, straight);
  return good ? 0 : 1;
}
