// All workers of a replay behind one door: frames in, flows by hash to the worker that owns them.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "probe/live/filter.h"
#include "probe/packet/decoder.h"
#include "probe/packet/sampling.h"
#include "probe/run/lane.h"

namespace probe::run {

// With one worker everything, the exporter included, runs in the caller's thread. With more, the caller's thread
// decodes and hands packets on, and the exporter has a thread of its own.
class Crew {
 public:
  // Throws if the capture filter is wrong.
  Crew(const Options&, Exporter&);
  ~Crew();

  // At most Pipeline::kMostPackets frames.
  void on_frames(std::span<const Frame>);
  // All flows end: the next capture is not a continuation.
  void end_flows();
  // Nothing comes any more: flows end, records are delivered, sinks finish. Throws what a sink threw.
  void finish();

  Counters counters() const;  // of all threads; after finish()
  std::vector<DissectorCounters> dissection() const;
  Nanos now() const { return now_; }

 private:
  struct Alone;  // the one worker in this thread
  void hand_on(const Packet&);
  void hand_on_error(const Packet&);
  void hand_on_signalling(const Packet&);
  bool is_signalling(const Packet&) const;
  std::size_t lane_of(std::uint64_t hash) const { return (hash >> 32) % lanes_.size(); }  // the table uses the low bits
  void add(std::size_t lane, const Packet&);
  void send(std::size_t lane, Nanos now);

  Exporter& exporter_;
  Counters counters_;  // this thread's
  live::Filter filter_;
  Decoder decoder_;
  Sampler sampler_;
  std::array<Packet, Pipeline::kMostPackets> packets_;
  Nanos now_ = 0;
  Nanos before_ = 0;  // now_ as the burst before left it
  std::unique_ptr<Alone> alone_;
  std::unique_ptr<Shared> shared_;  // of several workers
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<Batch*> open_;  // batch being filled, per lane
  std::vector<const Dissector*> announcing_;
};

}  // namespace probe::run
