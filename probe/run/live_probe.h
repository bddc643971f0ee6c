// A probe that runs: ports, workers, exporter, and what can be asked of them.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "exporter/run/exporter.h"
#include "probe/live/filter.h"
#include "probe/live/port.h"
#include "probe/run/live_targets.h"
#include "probe/run/live_worker.h"
#include "probe/run/memory.h"
#include "probe/run/options.h"
#include "probe/run/statistics.h"

namespace probe::run {

struct LivePorts {
  std::vector<std::unique_ptr<live::Port>> ports;
  // All of them put both directions of a flow into queues of the same number, so that workers can have queues of their
  // own. Else a dispatcher does it.
  bool queues_agree = true;
  std::vector<MemoryItem> memory = {};  // of rings and buffers
  std::vector<std::string> notes = {};  // what was chosen for them and what it costs
};

class LiveProbe final : public StatisticsSource {
 public:
  // Opens the targets. Throws std::runtime_error with a sentence. `sinks`: what else wants the records; they must
  // outlive the probe.
  LiveProbe(const Options&, LivePorts, std::vector<Sink*> sinks = {});
  ~LiveProbe() override;

  void start();
  // Empty, or why the probe must end: a thread hangs or has ended by itself.
  std::string trouble();
  // Some thread does: after this, only the process' end helps.
  bool hangs() const { return hangs_; }
  // Targets and filter of these options; nothing else changes. Not a packet, flow or record is lost. Throws
  // std::runtime_error with a sentence, and everything stays as it was.
  void reload(const Options&);
  // For the statistics: a reload was refused before it came here.
  void refuse() { ++reloads_refused_; }
  // All flows end, records go out; takes at most options.run_drain_time and a little. Afterwards trouble() tells of
  // threads that did not end: then the process must end without destroying this.
  void stop();

  // Collectors hear how the probe is (statistics.interval), within a second. By one thread.
  void tell_collectors();

  Statistics statistics() override;
  MemoryPlan memory() const;
  const LivePorts& ports() const { return ports_; }

 private:
  std::vector<live::Queue*> queues(std::size_t number) const;
  std::vector<live::Queue*> all_queues() const;
  bool workers_have_queues() const;
  void make_workers();
  void choose_cpus();
  void set_filter(const live::Filter*);
  bool wait_for_turns();
  bool wait_for_end(WatchedThread&, Nanos steady_deadline);
  void stop_exporter(Nanos steady_deadline);
  std::vector<WatchedThread*> threads() const;

  const Options options_;
  LivePorts ports_;
  std::unique_ptr<live::Filter> filter_;
  std::vector<std::unique_ptr<live::Filter>> kept_;  // that a thread which hangs may still use
  LiveTargets targets_;
  Exporter exporter_;
  Shared shared_;  // of all workers
  std::vector<std::unique_ptr<LiveWorker>> workers_;
  std::unique_ptr<LiveDispatcher> dispatcher_;
  Nanos started_ = 0;  // steady
  bool stopping_ = false;
  std::string stuck_;  // what did not end
  bool hangs_ = false;
  Count reloads_, reloads_refused_;
  std::uint64_t ignored_ = 0;  // as collectors were told
  Nanos first_ignored_ = 0, last_ignored_ = 0;
  std::mutex looking_;  // one at a time asks ports and hearts
};

}  // namespace probe::run
