// From receive queues to decoded packets: what a worker with queues of its own and a dispatcher do alike.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <span>
#include <vector>

#include "probe/live/filter.h"
#include "probe/live/merge.h"
#include "probe/packet/decoder.h"
#include "probe/packet/sampling.h"
#include "probe/pipeline/pipeline.h"
#include "probe/run/options.h"
#include "probe/run/stage_times.h"

namespace probe::run {

// Used by one thread, but for set_filter().
class LiveIntake {
 public:
  LiveIntake(const Options&, std::vector<live::Queue*>, const live::Filter*, Counters&);

  static constexpr Nanos kNoMore = live::Merge::kNoMore;

  // Reads a burst and calls use(packets, newest time) before its octets go back; `now`: since 1970, or kNoMore for what
  // is held back too; `stages` of the thread, whose turn has begun. How many frames there were.
  template <class Use>
  std::size_t take(Nanos now, StageTimes& stages, Use&& use) {
    const std::size_t n = merge_.read(frames_, now);
    stages.did(n > 0 ? Stage::receive : Stage::idle);
    if (n == 0) {
      caught_up_ = true;
      return 0;
    }
    read_any_ = true;
    const std::size_t packets = decode(std::span(frames_).first(n));
    stages.did(Stage::decode);
    use(std::span<const Packet>(packets_).first(packets), newest_);
    merge_.release(n);
    stages.did(Stage::receive);
    return n;
  }
  // Reads a burst and looks at nothing of it. How many frames there were.
  std::size_t pass_over(Nanos now, StageTimes& stages);
  void wait(Nanos most) { merge_.wait(most); }
  // How far this thread is behind: the share of a queue's room that is taken, 0 to 1. Where a driver cannot tell, 1 if
  // since the kBusyLooks last times it was asked no read has found an empty queue: a thread that keeps up finds one now
  // and then, and how much a read returns at most is the driver's choice (memif: 32). Time alone says nothing: the
  // thread may have been waiting for its CPU.
  double backlog();

  // By any thread. The filter of before may be in use until this intake's thread has begun another turn.
  void set_filter(const live::Filter* f) { filter_.store(f, std::memory_order_release); }
  std::size_t octets() const { return decoder_.octets(); }

 private:
  static constexpr unsigned kBusyLooks = 5;

  std::size_t decode(std::span<const Frame>);
  void count(std::span<const Frame>);

  Counters& counters_;
  live::Merge merge_;
  Decoder decoder_;
  Sampler sampler_;
  std::atomic<const live::Filter*> filter_;
  std::array<Frame, Pipeline::kMostPackets> frames_;
  std::array<Packet, Pipeline::kMostPackets> packets_;
  Nanos newest_ = 0;  // of the burst
  // Since backlog() was asked: there was something to read, and there was nothing.
  bool read_any_ = false, caught_up_ = false;
  unsigned busy_looks_ = 0;
};

}  // namespace probe::run
