#include "probe/run/live_targets.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

namespace probe::run {
namespace {

using Clock = std::chrono::steady_clock;

void add(TargetReport& to, const TargetReport& from) {
  to.given += from.given;
  for (const ReportedCounter& r : kReportedCounters) to.*r.value += from.*r.value;
  if (!from.trouble.empty()) to.trouble = from.trouble;
}

}  // namespace

TargetSet open_targets(const Options& o, const TargetSet& current) {
  const TargetOptions how{static_cast<std::uint32_t>(o.export_enterprise_number),
                          static_cast<std::uint32_t>(o.export_observation_domain), true};
  TargetSet set;
  for (const std::string& url : o.export_targets) {
    const auto same = [&](const std::shared_ptr<LiveTarget>& t) {
      return t->url == url && std::ranges::find(set, t) == set.end();
    };
    if (const auto there = std::ranges::find_if(current, same); there != current.end()) {
      set.push_back(*there);
      continue;
    }
    auto fresh = std::make_shared<LiveTarget>();
    fresh->url = url;
    fresh->target = open_target(url, how, fresh->counters);
    set.push_back(std::move(fresh));
  }
  return set;
}

LiveTargets::LiveTargets(TargetSet first, std::vector<Sink*> others, Nanos leave_time)
    : active_(first), others_(std::move(others)), leave_time_(leave_time), wanted_(first), in_use_(std::move(first)) {
  publish();
}

LiveTargets::~LiveTargets() { reap(true); }

// A sink must not throw. If one does all the same, the process is about to end, and says why.
template <class Work>
void LiveTargets::guarded(Work&& work) {
  if (failed_.load(std::memory_order_relaxed)) return;
  try {
    work();
  } catch (const std::exception& e) {
    const std::lock_guard lock(mutex_);
    trouble_ = e.what();
    failed_ = true;
  }
}

void LiveTargets::put(const Record& r) {
  const Nanos end = end_.load(std::memory_order_relaxed);
  if (end >= 0 && steady_now() > end) return counters_.add(Counter::export_too_late);
  guarded([&] {
    for (const auto& t : active_) t->target->put(r);
    for (Sink* s : others_) s->put(r);
  });
}

void LiveTargets::turn() {
  if (!begun_) heart_.begin();
  begun_ = true;
  heart_.beat();
  if (exchange_.load(std::memory_order_acquire)) adopt();
  guarded([&] {
    if (const Nanos end = end_.load(std::memory_order_relaxed); end >= 0 && !draining_) {
      draining_ = true;
      for (const auto& t : active_) t->target->wait_until(Clock::time_point(std::chrono::nanoseconds(end)));
    }
    for (const auto& t : active_) t->target->turn();
    for (Sink* s : others_) s->turn();
  });
}

void LiveTargets::tell(const ProbeStatistics& s) {
  const std::lock_guard lock(mutex_);
  news_ = s;
}

std::optional<ProbeStatistics> LiveTargets::news() {
  const std::lock_guard lock(mutex_);
  return std::exchange(news_, std::nullopt);
}

void LiveTargets::flush() {
  guarded([&] {
    if (const auto s = news())
      for (const auto& t : active_) t->target->tell(*s);
    for (const auto& t : active_) t->target->flush();
    for (Sink* s : others_) s->flush();
  });
  publish();
}

// All at the same time: a collector that is gone must not take the time of the others.
void LiveTargets::finish() {
  std::vector<std::thread> finishing;
  const auto last = news();
  for (const auto& t : active_)
    finishing.emplace_back([this, t, &last] {
      guarded([&] {
        if (last) {
          t->target->flush();  // then what is told counts what could be sent
          t->target->tell(*last);
        }
        t->target->finish();
      });
    });
  guarded([&] {
    for (Sink* s : others_) s->finish();
  });
  for (std::thread& t : finishing) t.join();
  publish();
  heart_.end();
}

void LiveTargets::publish() {
  const std::lock_guard lock(mutex_);
  publish_locked();
}

void LiveTargets::publish_locked() {
  reports_.clear();
  for (const auto& t : active_) reports_.push_back(t->target->report());
}

// Whoever asks meanwhile finds each target in one list: its numbers never fall.
void LiveTargets::adopt() {
  {
    const std::lock_guard lock(mutex_);
    if (!exchange_) return;  // too late: given up
    for (const auto& old : active_)
      if (std::ranges::find(next_, old) == next_.end()) going_.push_back({old, old->target->report()});
    active_ = next_;
    in_use_ = next_;
    publish_locked();
    exchange_ = false;
  }
  taken_.notify_all();
}

bool LiveTargets::replace(TargetSet next, Nanos most) {
  reap(false);
  std::unique_lock lock(mutex_);
  next_ = next;
  exchange_.store(true, std::memory_order_release);
  taken_.wait_for(lock, std::chrono::nanoseconds(most), [this] { return !exchange_.load(); });
  const bool good = !exchange_.exchange(false);
  next_.clear();
  lock.unlock();
  if (!good) return false;
  for (auto& old : wanted_)
    if (std::ranges::find(next, old) == next.end()) leave(std::move(old));
  wanted_ = std::move(next);
  return true;
}

// The exporter has let go of it.
void LiveTargets::leave(std::shared_ptr<LiveTarget> old) {
  auto done = std::make_shared<std::atomic<bool>>(false);
  const auto finish = [this, done, old = std::move(old)] {
    try {
      old->target->wait_until(Clock::now() + std::chrono::nanoseconds(leave_time_));
      old->target->finish();
    } catch (const std::exception&) {  // its report tells what it lost
    }
    const TargetReport report = old->target->report();
    const std::lock_guard lock(mutex_);
    std::erase_if(going_, [&old](const Going& g) { return g.target == old; });
    gone_counters_ += old->counters;
    const auto same = std::ranges::find(gone_, report.url, &TargetReport::url);
    if (same == gone_.end())
      gone_.push_back(report);
    else
      add(*same, report);
    *done = true;
  };
  leaving_.push_back({done, std::thread(finish)});
}

void LiveTargets::reap(bool all) {
  std::erase_if(leaving_, [all](Leaving& l) {
    if (!all && !*l.done) return false;
    l.thread.join();
    return true;
  });
}

void LiveTargets::drain(Nanos most) { end_.store(steady_now() + most, std::memory_order_relaxed); }

std::vector<TargetReport> LiveTargets::reports() const {
  const std::lock_guard lock(mutex_);
  std::vector<TargetReport> all;
  const auto sum_up = [&all](const TargetReport& r) {
    if (const auto same = std::ranges::find(all, r.url, &TargetReport::url); same != all.end())
      add(*same, r);
    else
      all.push_back(r);
  };
  for (const TargetReport& r : reports_) sum_up(r);
  for (const Going& g : going_) sum_up(g.report);
  for (const TargetReport& r : gone_) sum_up(r);
  return all;
}

Counters LiveTargets::counters() const {
  const std::lock_guard lock(mutex_);
  Counters all = gone_counters_;
  all += counters_;
  for (const auto& t : in_use_) all += t->counters;
  for (const Going& g : going_) all += g.target->counters;
  return all;
}

std::string LiveTargets::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

}  // namespace probe::run
