// Threads of a running probe: whether they still move, and why they ended.
#pragma once

#include <atomic>
#include <ctime>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "probe/run/clock.h"
#include "probe/run/stage_times.h"
#include "probe/run/statistics.h"

namespace probe::run {

// Beats once a turn of the loop that it belongs to.
class Heart {
 public:
  explicit Heart(std::string name) : name_(std::move(name)), seen_at_(steady_now()) {}
  const std::string& name() const { return name_; }

  // By the thread itself: begin() first, end() as its last act.
  void begin();
  void beat() {
    const std::uint64_t n = beats_.load(std::memory_order_relaxed) + 1;
    beats_.store(n, std::memory_order_release);
    stages_.begin_turn(n);
  }
  StageTimes& stages() { return stages_; }
  void end() { alive_.store(false, std::memory_order_release); }

  // What the thread did in its turns before this one has happened: nobody looks at what was taken from it two beats
  // ago.
  std::uint64_t beats() const { return beats_.load(std::memory_order_acquire); }
  bool alive() const { return alive_.load(std::memory_order_acquire); }
  // By one other thread at a time, regularly: silence counts from the call that first saw this beat.
  ThreadStatistics look();

 private:
  const std::string name_;
  std::atomic<std::uint64_t> beats_{0};
  std::atomic<clockid_t> cpu_clock_{0};
  std::atomic<bool> alive_{false};
  StageTimes stages_;
  std::uint64_t seen_ = 0;  // of the looking thread
  Nanos seen_at_;
};

class WatchedThread {
 public:
  explicit WatchedThread(std::string name) : heart_(std::move(name)) {}
  ~WatchedThread() { join(); }
  WatchedThread(const WatchedThread&) = delete;
  WatchedThread& operator=(const WatchedThread&) = delete;

  void start(std::function<void()> body);
  // Before start(): the only CPU that it runs on. If it may not, it ends with that trouble.
  void tie_to(unsigned cpu) { cpu_ = cpu; }
  void join();

  Heart& heart() { return heart_; }
  bool started() const { return thread_.joinable(); }
  bool ended() const { return ended_.load(std::memory_order_acquire); }
  // Once it has ended: what it threw; empty: nothing.
  std::string trouble() const { return ended() ? trouble_ : std::string(); }

 private:
  Heart heart_;
  std::optional<unsigned> cpu_;
  std::string trouble_;
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace probe::run
