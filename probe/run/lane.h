// One worker with all that it owns: pools, pipeline, counters, and the way of its records to the exporter.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "exporter/run/exporter.h"
#include "probe/base/ring.h"
#include "probe/packet/decoder.h"
#include "probe/pipeline/pipeline.h"
#include "probe/run/options.h"

namespace probe::run {

SharedOptions shared_options(const Options&);
// `shared`: what all workers share, if there are several.
PipelineOptions pipeline_options(const Options&, Shared* shared = nullptr);
DecodeOptions decode_options(const Options&);
SamplingOptions sampling_options(const Options&);
std::array<std::size_t, schema::kKindCount> record_slots(const Options&);

// The exporter runs in the worker's own thread: a record is given back as soon as it has been delivered.
class DirectOutlet final : public Outlet {
 public:
  explicit DirectOutlet(Exporter& exporter) : exporter_(exporter) {}
  void put(Record* r) override {
    exporter_.deliver(*r);
    r->home().give(r);
  }
  bool reclaim() override { return false; }

 private:
  Exporter& exporter_;
};

// The exporter has its own thread: records go through one ring and their memory comes back through another. For
// replays: when the exporter is behind, the worker waits.
class RingOutlet final : public Outlet {
 public:
  explicit RingOutlet(std::size_t records) : records_(records), back_(records) {}
  void put(Record*) override;
  bool reclaim() override;
  Ring<Record*>& records() { return records_; }
  Ring<Record*>& back() { return back_; }

 private:
  bool take_back();
  Ring<Record*> records_, back_;
  std::size_t away_ = 0;  // records that have not come back
};

// Packets copied out of the reader's buffers, on their way to a worker.
struct Batch {
  static constexpr std::size_t kPackets = 512;
  static constexpr std::size_t kOctets = 512 * 1024;
  std::vector<Packet> packets;
  std::unique_ptr<std::uint8_t[]> octets = std::make_unique<std::uint8_t[]>(kOctets);
  std::size_t used = 0;
  Nanos now = 0;
  unsigned shed_level = 0;  // of a live dispatcher, when these packets came
  bool end_flows = false;   // after these packets all flows end
  bool last = false;        // after these nothing comes

  Batch() { packets.reserve(kPackets); }
  bool fits(const Packet& p) const { return packets.size() < kPackets && used + p.payload.size() <= kOctets; }
  void add(const Packet&);
  void clear();
};

// A worker in its own thread.
class Lane {
 public:
  Lane(const Options&, Exporter&, Shared& shared);
  ~Lane();
  void start();
  // For the dispatching thread: an empty batch (waits for one), and the way to the worker.
  Batch* take_batch();
  void give_batch(Batch*);
  // Waits until all batches but the one that was taken have been worked on.
  void settle() const;
  void join() { thread_.join(); }

  const Counters& counters() const { return counters_; }
  const Pipeline& pipeline() const { return pipeline_; }

 private:
  static constexpr std::size_t kBatches = 8;
  void loop();
  void process(const Batch&);

  Counters counters_;
  RecordPools pools_;
  RingOutlet outlet_;
  Pipeline pipeline_;
  std::vector<Batch> batches_;
  Ring<Batch*> full_{kBatches}, empty_{kBatches};
  std::thread thread_;
};

}  // namespace probe::run
