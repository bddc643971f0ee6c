// What a running probe tells about itself at one moment.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "exporter/run/target.h"
#include "exporter/schema/schema.h"
#include "probe/base/counters.h"
#include "probe/base/nanos.h"
#include "probe/live/port.h"
#include "probe/pipeline/conversation.h"
#include "probe/run/stage_times.h"

namespace probe::run {

// How much of something bounded is taken.
struct Fill {
  std::uint64_t used = 0, capacity = 0;
};

struct PortStatistics {
  std::string name;
  std::size_t queues = 0;
  live::PortCounts counts;
};

// Of any thread of the probe. A heart that does not beat while the clock goes on hangs.
struct ThreadStatistics {
  std::string name;               // "worker 0", "dispatcher", "exporter"
  std::uint64_t heartbeat = 0;    // turns
  Nanos silent = 0;               // since the heart was last seen to beat
  std::optional<Nanos> cpu_time;  // processor time it has used; absent once it has ended
  StageNanos stages{};            // of those that packets go through, an estimate
};

struct WorkerStatistics {
  ThreadStatistics thread;
  Counters counters;
  std::vector<DissectorCounters> dissection;  // in the order of dissectors()
  Fill flows;
  std::array<Fill, schema::kKindCount> records;  // by kind: being written, or not yet back from the exporter
  Fill exporting;                                // records that wait for the exporter, or are with it
  std::optional<Fill> batches;                   // from the dispatcher, if there is one
  std::uint32_t shed_level = 0;                  // 0: nothing is left out; see docs/OPERATIONS.md
  std::uint64_t flow_sampling = 1;               // one in so many new flows is measured
};

struct Statistics {
  Nanos time = 0;    // since 1970
  Nanos uptime = 0;  // of this process' probe
  std::vector<PortStatistics> ports;
  std::vector<WorkerStatistics> workers;
  std::optional<ThreadStatistics> dispatcher;  // only if a port's queues are fewer than the workers
  Counters dispatcher_counters;
  ThreadStatistics exporter;
  Counters exporter_counters;
  std::vector<TargetReport> targets;  // as of the last second; those that a reload removed are at the end
  std::uint64_t reloads = 0, reloads_refused = 0;
  std::uint64_t memory = 0;  // octets reserved for flows, records and the like; touched as they are needed

  // Sums over all threads.
  Counters counters() const;
  std::vector<DissectorCounters> dissection() const;
};

// Whoever answers questions about the running probe asks here. Any thread may; asking disturbs no packet.
class StatisticsSource {
 public:
  virtual ~StatisticsSource() = default;
  virtual Statistics statistics() = 0;
};

}  // namespace probe::run
