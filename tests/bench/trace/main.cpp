// gen_trace: a trace of HTTP, MySQL and DNS flows, always the same for the same arguments, with the truth about each
// flow and each transaction beside it. For tests and measurements; nothing in it is random but what the seed makes so.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <queue>
#include <span>
#include <vector>

#include "tests/bench/trace/pcap_file.h"
#include "tests/bench/trace/scripts.h"

namespace trace {
namespace {

constexpr Micros kMidnight = 1704067200ULL * 1000000;  // 2024-01-01

struct Wish {
  std::string path, prefix;
  std::uint64_t seed = 1;
  std::uint32_t http_flows = 90000, mysql_flows = 10000, dns_flows = 50000;
  double seconds = 60;
};

struct Start {
  Micros time;
  Kind kind;
};

std::vector<Start> starts_of(const Wish& wish) {
  Random random(wish.seed);
  std::vector<Start> starts(std::size_t{wish.http_flows} + wish.mysql_flows + wish.dns_flows);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    starts[i].kind = i < wish.http_flows                      ? Kind::http
                     : i < wish.http_flows + wish.mysql_flows ? Kind::mysql
                                                              : Kind::dns;
    starts[i].time = kMidnight + static_cast<Micros>(random.unit() * wish.seconds * 1e6);
  }
  std::sort(starts.begin(), starts.end(),
            [](const Start& a, const Start& b) { return a.time < b.time || (a.time == b.time && a.kind < b.kind); });
  return starts;
}

std::unique_ptr<Flow> make_flow(std::uint32_t id, const Start& start, Random& random) {
  auto f = std::make_unique<Flow>();
  f->id = id;
  f->kind = start.kind;
  f->start = start.time;
  f->ipv6 = random.chance(0.10);
  f->timestamps = random.chance(0.8);
  f->client_address = 0x0a000000 | random.below(0x00ffffff);
  f->client_port = static_cast<std::uint16_t>(1024 + random.below(64000));
  for (std::uint16_t& ip_id : f->ip_id) ip_id = static_cast<std::uint16_t>(random.below(65536));
  for (std::uint32_t& base : f->timestamp_base) base = static_cast<std::uint32_t>(random.next());
  switch (f->kind) {
    case Kind::http:
      f->server_address = 0xc6336400u ^ (random.below(2000) * 7);
      f->server_port = random.chance(0.9) ? 80 : 8080;
      break;
    case Kind::mysql:
      f->server_address = 0xac100000u + random.below(200);
      f->server_port = 3306;
      break;
    case Kind::dns:
      f->server_address = 0x08080800u + random.below(8);
      f->server_port = 53;
      break;
  }
  return f;
}

void script(Flow& f, Random& random, Truth& truth) {
  truth.totals.ipv6_flows += f.ipv6;
  if (f.kind == Kind::dns) return script_dns(f, random, truth);
  ++truth.totals.tcp_flows;
  const bool mysql = f.kind == Kind::mysql;
  const double server_rtt = mysql ? random.lognormal(400, 0.6) : random.lognormal(1500, 0.8);
  const double client_rtt = mysql ? random.lognormal(300, 0.6) : random.lognormal(25000, 0.9);
  Connection c(f, random, server_rtt, std::min(client_rtt, 400000.0));
  mysql ? script_mysql(c, truth) : script_http(c, truth);
}

// Puts the packets of all flows into one order of time. A flow is scripted when its time comes and forgotten behind its
// last packet, so that a long trace needs little memory.
class Player {
 public:
  Player(const Wish& wish, Truth& truth, PcapFile& file)
      : seed_(wish.seed), starts_(starts_of(wish)), truth_(truth), file_(file) {}

  void play() {
    while (started_ < starts_.size() || !due_.empty()) {
      while (started_ < starts_.size() && (due_.empty() || starts_[started_].time <= due_.top().first)) start();
      step();
    }
  }

 private:
  void start() {
    const auto id = static_cast<std::uint32_t>(started_);
    Random random(seed_ * 1000003ULL + id * 7919ULL + 17);
    auto flow = make_flow(id, starts_[started_++], random);
    script(*flow, random, truth_);
    std::stable_sort(flow->events.begin(), flow->events.end(),
                     [](const Event& a, const Event& b) { return a.time < b.time; });
    std::size_t place = active_.size();
    if (free_.empty()) {
      active_.emplace_back();
    } else {
      place = free_.back();
      free_.pop_back();
    }
    due_.push({flow->events.front().time, place});
    active_[place] = std::move(flow);
    truth_.totals.most_concurrent = std::max<std::uint64_t>(truth_.totals.most_concurrent, due_.size());
  }

  void step() {
    const std::size_t place = due_.top().second;
    due_.pop();
    Flow& flow = *active_[place];
    const Event& event = flow.events[flow.next++];
    file_.write(flow, event);
    if (truth_.totals.first == 0) truth_.totals.first = event.time;
    truth_.totals.last = event.time;
    if (flow.next < flow.events.size()) return due_.push({flow.events[flow.next].time, place});
    active_[place].reset();
    free_.push_back(place);
  }

  using Due = std::pair<Micros, std::size_t>;

  const std::uint64_t seed_;
  const std::vector<Start> starts_;
  Truth& truth_;
  PcapFile& file_;
  std::size_t started_ = 0;
  std::vector<std::unique_ptr<Flow>> active_;
  std::vector<std::size_t> free_;
  std::priority_queue<Due, std::vector<Due>, std::greater<Due>> due_;
};

int run(std::span<char*> arguments) {
  if (arguments.size() < 3) {
    std::fputs("usage: gen_trace OUT.pcap TRUTH_PREFIX [SEED [HTTP_FLOWS [MYSQL_FLOWS [DNS_FLOWS [SECONDS]]]]]\n",
               stderr);
    return 2;
  }
  const auto number = [&](std::size_t i, auto otherwise) {
    return arguments.size() > i ? static_cast<decltype(otherwise)>(std::strtod(arguments[i], nullptr)) : otherwise;
  };
  Wish wish;
  wish.path = arguments[1];
  wish.prefix = arguments[2];
  wish.seed = number(3, wish.seed);
  wish.http_flows = number(4, wish.http_flows);
  wish.mysql_flows = number(5, wish.mysql_flows);
  wish.dns_flows = number(6, wish.dns_flows);
  wish.seconds = number(7, wish.seconds);
  PcapFile file(wish.path);
  Truth truth(wish.prefix);
  Player(wish, truth, file).play();
  file.close();
  std::fputs(truth.finish(file).c_str(), stdout);
  return 0;
}

}  // namespace
}  // namespace trace

int main(int argc, char** argv) try {
  return trace::run({argv, static_cast<std::size_t>(argc)});
} catch (const std::exception& e) {
  std::fprintf(stderr, "gen_trace: %s\n", e.what());
  return 1;
}
