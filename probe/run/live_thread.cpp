#include "probe/run/live_thread.h"

#include <pthread.h>

#include <chrono>
#include <exception>

namespace probe::run {

Nanos steady_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Nanos wall_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void Heart::begin() {
  clockid_t clock{};
  if (pthread_getcpuclockid(pthread_self(), &clock) == 0) cpu_clock_ = clock;
  alive_.store(true, std::memory_order_release);
}

ThreadStatistics Heart::look() {
  const Nanos now = steady_now();
  const std::uint64_t beats = beats_.value();
  if (beats != seen_) {
    seen_ = beats;
    seen_at_ = now;
  }
  ThreadStatistics s{name_, beats, now - seen_at_, {}};
  timespec used{};
  if (alive() && clock_gettime(cpu_clock_, &used) == 0) s.cpu_time = used.tv_sec * kSecond + used.tv_nsec;
  return s;
}

void WatchedThread::start(std::function<void()> body) {
  thread_ = std::thread([this, body = std::move(body)] {
    heart_.begin();
    heart_.beat();
    try {
      body();
    } catch (const std::exception& e) {
      trouble_ = e.what();
    } catch (...) {
      trouble_ = "an exception without a name";
    }
    heart_.end();
    ended_.store(true, std::memory_order_release);
  });
  // Fifteen letters are what the kernel keeps; they are what top -H and perf show.
  pthread_setname_np(thread_.native_handle(), heart_.name().substr(0, 15).c_str());
}

void WatchedThread::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace probe::run
