// What a live worker owns: pools, pipeline, counters, and the way of its records to the exporter.
#pragma once

#include <array>
#include <functional>
#include <span>

#include "exporter/run/exporter.h"
#include "probe/packet/decoder.h"
#include "probe/pipeline/pipeline.h"
#include "probe/run/live_outlet.h"
#include "probe/run/memory.h"
#include "probe/run/options.h"
#include "probe/run/packet_clock.h"
#include "probe/run/shed_policy.h"
#include "probe/run/statistics.h"

namespace probe::run {

// The deepest level of Shedding that the options allow.
unsigned deepest_level(const Options&);
// `shared`: what all workers share, if there are several.
PipelineOptions live_options(const Options&, Shared* shared = nullptr);

// Used by one thread, but for fill_in().
class LiveLane {
 public:
  LiveLane(const Options&, Exporter&, Shared* shared = nullptr);

  // `steady`: read once a turn.
  void on_burst(std::span<const Packet>, Nanos newest, Nanos steady);
  // How much waits in front of it, 0 to 1, whenever is_to_look() says so: sheds load or takes it on again. Where
  // records for the exporter take up more of their memory, it is that share.
  bool is_to_look(Nanos steady) const { return policy_.is_to_look(steady); }
  void look(double backlog, Nanos steady);
  // The level at which whoever hands it packets sheds: it sheds no less.
  void shed_with(unsigned level);
  // Nothing has come: flows end all the same.
  void rest(Nanos steady);
  // All flows end. While records must wait for the exporter, `wait` is called until it says false.
  void finish(std::function<bool()> wait);

  Counters& counters() { return counters_; }
  const Counters& counters() const { return counters_; }
  // Everything but the thread and the batches. Any thread may ask.
  void fill_in(WorkerStatistics&) const;
  // Reserved; touched as it is needed.
  std::vector<MemoryItem> memory() const;

 private:
  static constexpr Nanos kRest = kMillisecond;
  static constexpr Nanos kPublish = 50 * kMillisecond;
  void set_level();
  void attend(Nanos steady);
  void publish();

  const std::array<std::size_t, schema::kKindCount> slots_;
  const std::size_t flow_capacity_;
  const std::uint64_t sampled_flows_;
  Counters counters_;
  RecordPools pools_;
  LiveOutlet outlet_;
  Pipeline pipeline_;
  PacketClock clock_;
  ShedPolicy policy_;
  unsigned own_level_ = 0, dispatchers_level_ = 0;
  Nanos rested_ = 0, published_ = 0;
  // What others may read.
  Count flows_, away_, shed_level_;
  std::array<Count, schema::kKindCount> records_;
};

}  // namespace probe::run
