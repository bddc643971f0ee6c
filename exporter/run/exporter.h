// The exporter thread: takes finished records from the workers, gives them to every sink, and hands them back.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <thread>
#include <vector>

#include "exporter/record/sink.h"
#include "probe/base/ring.h"

namespace probe {

class Exporter {
 public:
  explicit Exporter(std::vector<Sink*> sinks) : sinks_(std::move(sinks)) {}
  ~Exporter();

  // A worker's two rings, before start(). `back` must hold as many records as the worker's pools have.
  void add_lane(Ring<Record*>& records, Ring<Record*>& back) { lanes_.push_back({&records, &back}); }

  void start();
  // Once the workers push no more: takes what is left, finishes the sinks, ends the thread. Rethrows what a sink threw.
  void stop();

  // The same without a thread, for one worker: deliver() gives the record to all sinks and leaves it to the caller.
  void deliver(const Record&);
  void finish();

  std::uint64_t records() const { return records_.load(std::memory_order_relaxed); }

 private:
  struct Lane {
    Ring<Record*>* records;
    Ring<Record*>* back;
  };
  using Clock = std::chrono::steady_clock;
  bool drain();  // true if there was anything
  void attend(Clock::time_point& flushed);
  void loop();
  void guarded_finish();

  std::vector<Sink*> sinks_;
  std::vector<Lane> lanes_;
  std::atomic<std::uint64_t> records_{0};
  std::atomic<bool> stop_{false};
  std::exception_ptr trouble_;
  std::thread thread_;
};

}  // namespace probe
