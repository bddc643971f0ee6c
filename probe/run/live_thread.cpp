#include "probe/run/live_thread.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>

#include <cstring>
#include <exception>
#include <stdexcept>

namespace probe::run {

namespace {

void run_on(unsigned cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
  if (const int error = pthread_setaffinity_np(pthread_self(), sizeof set, &set); error != 0)
    throw std::runtime_error(fmt::format("it may not run on CPU {} (capture.cpus): {}", cpu, std::strerror(error)));
}

}  // namespace

void Heart::begin() {
  clockid_t clock{};
  if (pthread_getcpuclockid(pthread_self(), &clock) == 0) cpu_clock_ = clock;
  alive_.store(true, std::memory_order_release);
}

ThreadStatistics Heart::look() {
  const Nanos now = steady_now();
  const std::uint64_t beats = this->beats();
  if (beats != seen_) {
    seen_ = beats;
    seen_at_ = now;
  }
  ThreadStatistics s{name_, beats, now - seen_at_, {}, stages_.nanos()};
  timespec used{};
  if (alive() && clock_gettime(cpu_clock_, &used) == 0) s.cpu_time = used.tv_sec * kSecond + used.tv_nsec;
  return s;
}

void WatchedThread::start(std::function<void()> body) {
  thread_ = std::thread([this, body = std::move(body)] {
    heart_.begin();
    heart_.beat();
    try {
      if (cpu_) run_on(*cpu_);
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
