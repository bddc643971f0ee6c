// Targets and who takes what they send, for tests of both.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "exporter/collector/collector.h"
#include "exporter/run/target.h"
#include "tests/exporter/samples.h"

namespace probe::test {

using Rows = std::vector<samples::Values>;

struct Kept : Sink {
  void put(const Record& r) override {
    rows.push_back(samples::values_of(r));
    rows.back()["record"] = schema::kKinds[r.kind()].name;
  }
  void finish() override {}
  Rows rows;
};

// A collector on a free port of the loopback, in a thread.
struct Running {
  explicit Running(const std::string& scheme) : collector({}, {&kept}) {
    url = scheme + "://127.0.0.1:" + std::to_string(collector.listen(scheme + "://127.0.0.1:0"));
    thread = std::thread([this] { collector.run(stop); });
  }
  CollectorReport end() {
    stop = true;
    if (thread.joinable()) thread.join();
    return collector.report();
  }
  ~Running() { end(); }
  Kept kept;
  Collector collector;
  std::string url;
  std::atomic<bool> stop{false};
  std::thread thread;
};

struct Source {
  explicit Source(std::uint64_t seed) : random(seed) {
    for (int i = 0; i < 20; ++i) {
      const std::size_t kind = random() % schema::kKindCount;
      sets.push_back({kind, samples::random_groups(random, kind)});
    }
  }
  void put(Sink& to) {
    const auto& [kind, groups] = sets[random() % sets.size()];
    Record* r = samples::make(pools, random, kind, groups);
    rows.push_back(samples::values_of(*r, samples::native_groups(*r)));
    rows.back()["record"] = schema::kKinds[kind].name;
    to.put(*r);
    pools.give(r);
  }
  std::mt19937_64 random;
  RecordPools pools{samples::slots(1)};
  std::vector<std::pair<std::size_t, schema::Groups>> sets;
  Rows rows;
};

inline std::string complaint(std::string_view url, const TargetOptions& options = {}) {
  Counters counters;
  try {
    open_target(url, options, counters);
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "";
}

// Puts records and lets time go on, until `done`; false after ten seconds.
template <class Done>
bool go_on(Target& target, Source& source, Done&& done) {
  for (int i = 0; i < 1000 && !done(); ++i) {
    source.put(target);
    target.flush();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    target.turn();
  }
  return done();
}

}  // namespace probe::test
