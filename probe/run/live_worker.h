// Threads that packets go through: workers with receive queues of their own, or a dispatcher and the workers behind it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "probe/run/lane.h"
#include "probe/run/live_intake.h"
#include "probe/run/live_lane.h"
#include "probe/run/live_thread.h"

namespace probe::run {

// Batches to one worker and back. The dispatcher never waits: without room add() says no.
class BatchWay {
 public:
  BatchWay();

  // The dispatcher's.
  bool has_room() { return open_ != nullptr || open(); }
  // A batch that is full goes with the time `before` this burst: others of the burst are still to come.
  bool add(const Packet&, Nanos before);
  void send(Nanos now);
  // Of the packets that are added from now on; what is there goes on its way.
  void set_shed_level(unsigned level, Nanos now) {
    send(now);
    shed_level_ = level;
  }
  void send_if_idle(Nanos now) {
    if (full_.size() == 0) send(now);
  }
  void close() { closed_.store(true, std::memory_order_release); }  // nothing is sent any more

  // The worker's.
  bool closed() const { return closed_.load(std::memory_order_acquire); }  // ask before next()
  Batch* next();
  void give_back(Batch* b) { empty_.push(b); }

  double backlog() const { return static_cast<double>(full_.size()) / kBatches; }

  Fill fill() const { return {full_.size(), kBatches}; }
  static constexpr std::size_t octets() { return kBatches * (Batch::kOctets + Batch::kPackets * sizeof(Packet)); }

 private:
  static constexpr std::size_t kBatches = 32;
  bool open();

  std::vector<Batch> batches_;
  Ring<Batch*> full_{kBatches}, empty_{kBatches};
  Batch* open_ = nullptr;  // being filled
  unsigned shed_level_ = 0;
  std::atomic<bool> closed_{false};
};

class LiveWorker {
 public:
  // With queues of its own.
  LiveWorker(std::size_t number, const Options&, Exporter&, std::vector<live::Queue*>, const live::Filter*,
             Shared* shared = nullptr);
  // Behind a dispatcher.
  LiveWorker(std::size_t number, const Options&, Exporter&, Shared* shared = nullptr);

  void start();
  // What has come by now is processed, then all flows end; records wait for the exporter until that time at most.
  void stop(Nanos steady_deadline);

  WatchedThread& thread() { return thread_; }
  BatchWay& batches() { return *batches_; }
  LiveIntake* intake() { return intake_ ? &*intake_ : nullptr; }
  WorkerStatistics statistics();
  const LiveLane& lane() const { return lane_; }

 private:
  void read_queues();
  void work_batches();
  void process(const Batch&, Nanos steady);
  void finish();
  bool stopping() const { return deadline_.load(std::memory_order_acquire) >= 0; }

  LiveLane lane_;
  std::optional<LiveIntake> intake_;  // one of these two
  std::unique_ptr<BatchWay> batches_;
  std::atomic<Nanos> deadline_{-1};  // steady; the end has come
  WatchedThread thread_;
};

// Where the ports have fewer queues than there are workers. If it is itself too slow, it sheds as a worker does, and
// the workers with it: connections whose SYN it sees never come to them.
class LiveDispatcher {
 public:
  LiveDispatcher(const Options&, std::vector<live::Queue*>, const live::Filter*,
                 std::vector<std::unique_ptr<LiveWorker>>& workers);

  void start();
  void stop() { stop_.store(true, std::memory_order_release); }

  WatchedThread& thread() { return thread_; }
  LiveIntake& intake() { return intake_; }
  const Counters& counters() const { return counters_; }
  std::size_t octets() const { return intake_.octets() + shedding_.octets(); }

 private:
  void look(Nanos steady);
  void loop();
  std::size_t turn(Nanos now);
  void hand_on(std::span<const Packet>, Nanos newest);
  void hand_on_error(const Packet&, Nanos before);
  BatchWay* way_of(std::uint64_t hash) const {
    return ways_[(hash >> 32) % ways_.size()];
  }  // the table uses the low bits
  void add(const Packet&, Nanos before);
  bool room_anywhere();

  Counters counters_;
  LiveIntake intake_;
  ShedPolicy policy_;
  Shedding shedding_;
  std::vector<BatchWay*> ways_;
  Nanos newest_ = 0;
  std::atomic<bool> stop_{false};
  WatchedThread thread_{"dispatcher"};
};

}  // namespace probe::run
