// The statistics of a probe that never was, and a source of them.
#pragma once

#include "probe/run/statistics.h"

namespace probe::monitor {

inline run::Statistics a_probe() {
  run::Statistics s;
  s.time = 1'700'000'000 * kSecond;
  s.uptime = 90 * kSecond;
  s.ports.resize(2);
  s.ports[0] = {"socket:eth1", 1, {}};
  s.ports[0].counts.received = 1000;
  s.ports[0].counts.dropped_kernel = 7;
  s.ports[0].counts.link_up = true;
  s.ports[1] = {"dpdk:net_ring0", 2, {}};
  s.ports[1].counts.received = 500;
  s.workers.resize(2);
  for (std::size_t i = 0; i < 2; ++i) {
    run::WorkerStatistics& w = s.workers[i];
    w.thread = {"worker " + std::to_string(i), 100 + i, 0, kSecond, {}};
    w.thread.stages[static_cast<std::size_t>(run::Stage::decode)] = kSecond / 4;
    w.counters.add(Counter::capture_frames, 600 + i);
    w.dissection.resize(dissectors().size());
    w.dissection[0].flows += 3;
    w.flows = {10, 1000};
    w.records.fill({1, 64});
    w.exporting = {2, 128};
    w.shed_level = static_cast<std::uint32_t>(i);
    w.flow_sampling = 1 + i;
  }
  s.exporter = {"exporter", 50, 0, kSecond / 2, {}};
  TargetReport t;
  t.url = "udp://192.0.2.1:4739?a=\"b\"";
  t.given = 12;
  t.sent = 11;
  t.failed = 1;
  s.targets.push_back(t);
  s.memory = 1 << 20;
  return s;
}

class AProbe final : public run::StatisticsSource {
 public:
  run::Statistics now = a_probe();
  run::Statistics statistics() override { return now; }
};

}  // namespace probe::monitor
