#include "probe/run/live_probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "probe/doctor/machine.h"
#include "probe/run/told.h"

namespace probe::run {
namespace {

constexpr Nanos kLook = 2 * kMillisecond;
// For the exporter to look at its mailbox, and for workers to begin a turn.
constexpr Nanos kExchange = 5 * kSecond;
// Beyond the drain time: for threads to end, and for what a target does last.
constexpr Nanos kGrace = 2 * kSecond;

void nap(Nanos n) { std::this_thread::sleep_for(std::chrono::nanoseconds(n)); }

// Without a merge the two directions of a link come in turns: an answer may be processed before its question.
Options for_ports(Options o, const LivePorts& ports) {
  if (ports.ports.size() < 2) o.capture_merge_window = 0;
  return o;
}

}  // namespace

LiveProbe::LiveProbe(const Options& o, LivePorts ports, std::vector<Sink*> sinks)
    : options_(for_ports(o, ports)),
      ports_(std::move(ports)),
      filter_(new live::Filter(o.capture_filter)),
      targets_(open_targets(o, {}), std::move(sinks), o.run_drain_time),
      exporter_({&targets_}),
      shared_(shared_options(options_)) {
  if (ports_.ports.empty()) throw std::runtime_error("there is no port to read from: set capture.ports");
  make_workers();
  choose_cpus();
}

LiveProbe::~LiveProbe() {
  if (started_ != 0 && !stopping_) stop();
}

bool LiveProbe::workers_have_queues() const {
  const std::size_t workers = options_.capture_workers;
  return workers == 1 || (ports_.queues_agree && std::ranges::all_of(ports_.ports, [workers](const auto& p) {
                            return p->queues().size() == workers;
                          }));
}

void LiveProbe::make_workers() {
  const std::size_t n = options_.capture_workers;
  const bool own = workers_have_queues();
  for (std::size_t i = 0; i < n; ++i) {
    if (own)
      workers_.push_back(std::make_unique<LiveWorker>(i, options_, exporter_, n == 1 ? all_queues() : queues(i),
                                                      filter_.get(), &shared_));
    else
      workers_.push_back(std::make_unique<LiveWorker>(i, options_, exporter_, &shared_));
  }
  if (!own) dispatcher_ = std::make_unique<LiveDispatcher>(options_, all_queues(), filter_.get(), workers_);
}

void LiveProbe::choose_cpus() {
  if (options_.capture_cpus.empty()) return;
  const std::vector<unsigned> cpus = doctor::cpu_list(options_.capture_cpus);
  std::vector<WatchedThread*> all;
  for (const auto& w : workers_) all.push_back(&w->thread());
  if (dispatcher_) all.push_back(&dispatcher_->thread());
  if (cpus.size() < all.size())
    throw std::runtime_error(fmt::format("capture.cpus: {} names {} CPUs, but there are {} workers{}",
                                         options_.capture_cpus, cpus.size(), workers_.size(),
                                         dispatcher_ ? " and a dispatcher" : ""));
  for (std::size_t i = 0; i < all.size(); ++i) all[i]->tie_to(cpus[i]);
}

std::vector<live::Queue*> LiveProbe::queues(std::size_t number) const {
  std::vector<live::Queue*> out;
  for (const auto& p : ports_.ports) out.push_back(p->queues()[number].get());
  return out;
}

std::vector<live::Queue*> LiveProbe::all_queues() const {
  std::vector<live::Queue*> out;
  for (const auto& p : ports_.ports)
    for (const auto& q : p->queues()) out.push_back(q.get());
  return out;
}

std::vector<WatchedThread*> LiveProbe::threads() const {
  std::vector<WatchedThread*> out;
  if (dispatcher_) out.push_back(&dispatcher_->thread());
  for (const auto& w : workers_) out.push_back(&w->thread());
  return out;
}

void LiveProbe::start() {
  started_ = steady_now();
  exporter_.start();
  for (const auto& w : workers_) w->start();
  if (dispatcher_) dispatcher_->start();
}

std::string LiveProbe::trouble() {
  if (!stuck_.empty()) return stuck_;
  const std::lock_guard lock(looking_);
  const auto silent = [this](const ThreadStatistics& s) -> std::string {
    if (s.silent < options_.run_hang_time) return "";
    hangs_ = true;
    return fmt::format("the {} hangs: it has not moved for {:.1f} s (run.hang_time)", s.name,
                       static_cast<double>(s.silent) / kSecond);
  };
  for (WatchedThread* t : threads()) {
    if (!t->ended()) {
      if (std::string s = silent(t->heart().look()); !s.empty()) return s;
    } else if (!t->trouble().empty()) {
      return fmt::format("the {} ended: {}", t->heart().name(), t->trouble());
    } else if (!stopping_) {
      return fmt::format("the {} ended by itself", t->heart().name());
    }
  }
  if (std::string s = targets_.trouble(); !s.empty()) return fmt::format("the exporter failed: {}", s);
  return targets_.heart().alive() || !stopping_ ? silent(targets_.heart().look()) : "";
}

void LiveProbe::reload(const Options& o) {
  try {
    auto filter = std::make_unique<live::Filter>(o.capture_filter);
    TargetSet next = open_targets(o, targets_.current());
    if (!targets_.replace(std::move(next), kExchange))
      throw std::runtime_error("the exporter is too busy to take other targets; try again");
    if (filter->expression() != filter_->expression()) {
      set_filter(filter.get());
      filter_.swap(filter);
      if (!wait_for_turns()) kept_.push_back(std::move(filter));
    }
    ++reloads_;
  } catch (...) {
    ++reloads_refused_;
    throw;
  }
}

void LiveProbe::set_filter(const live::Filter* f) {
  if (dispatcher_) dispatcher_->intake().set_filter(f);
  for (const auto& w : workers_)
    if (w->intake()) w->intake()->set_filter(f);
}

// Two beats later nobody uses what was exchanged before. False if a thread hangs: it may still use it.
bool LiveProbe::wait_for_turns() {
  const Nanos end = steady_now() + options_.run_hang_time;
  for (WatchedThread* t : threads()) {
    const std::uint64_t beats = t->heart().beats();
    while (t->heart().alive() && t->heart().beats() < beats + 2) {
      if (steady_now() > end) return false;
      nap(kLook);
    }
  }
  return true;
}

bool LiveProbe::wait_for_end(WatchedThread& t, Nanos steady_deadline) {
  while (!t.ended() && steady_now() < steady_deadline) nap(kLook);
  if (!t.ended()) {
    hangs_ = true;
    stuck_ = fmt::format("the {} did not end in time (run.drain_time)", t.heart().name());
    return false;
  }
  t.join();
  return true;
}

void LiveProbe::stop() {
  stopping_ = true;
  const Nanos begin = steady_now(), deadline = begin + options_.run_drain_time;
  targets_.drain(options_.run_drain_time);
  if (dispatcher_) {
    dispatcher_->stop();
    if (!wait_for_end(dispatcher_->thread(), deadline + kGrace)) return;
  }
  for (const auto& w : workers_) w->stop(deadline);
  for (const auto& w : workers_)
    if (!wait_for_end(w->thread(), deadline + kGrace)) return;
  if (options_.statistics_interval > 0) tell_collectors();  // the last word
  stop_exporter(deadline + kGrace);
}

void LiveProbe::stop_exporter(Nanos steady_deadline) {
  auto done = std::make_shared<std::atomic<bool>>(false);
  std::thread stopping([this, done] {
    exporter_.stop();
    *done = true;
  });
  while (!*done && steady_now() < steady_deadline) nap(kLook);
  if (*done) {
    stopping.join();
    return targets_.wait_for_leaving();
  }
  hangs_ = true;
  stuck_ = "the exporter did not end in time (run.drain_time)";
  stopping.detach();
}

void LiveProbe::tell_collectors() {
  const Statistics now = statistics();
  ProbeStatistics s = told_of(now);
  if (s.ignored > ignored_) {
    last_ignored_ = now.time;
    if (first_ignored_ == 0) first_ignored_ = now.time;
    ignored_ = s.ignored;
  }
  s.first_ignored = first_ignored_;
  s.last_ignored = last_ignored_;
  targets_.tell(s);
}

Statistics LiveProbe::statistics() {
  Statistics s;
  s.time = wall_now();
  s.uptime = started_ == 0 ? 0 : steady_now() - started_;
  s.memory = memory().octets();
  s.targets = targets_.reports();
  const std::lock_guard lock(looking_);
  for (const auto& p : ports_.ports) s.ports.push_back({p->name(), p->queues().size(), p->counts()});
  for (const auto& w : workers_) s.workers.push_back(w->statistics());
  if (dispatcher_) {
    s.dispatcher = dispatcher_->thread().heart().look();
    s.dispatcher_counters = dispatcher_->counters();
  }
  s.exporter = targets_.heart().look();
  s.exporter_counters = targets_.counters();
  s.reloads = reloads_;
  s.reloads_refused = reloads_refused_;
  return s;
}

MemoryPlan LiveProbe::memory() const {
  MemoryPlan plan;
  plan.workers = workers_.size();
  plan.flows = options_.flow_capacity;
  for (const auto& w : workers_) plan.add(w->lane().memory());
  plan.add({{"dissection", shared_.octets()}});
  plan.add(ports_.memory);
  for (const auto& w : workers_)
    if (w->intake()) plan.add({{"fragments", w->intake()->octets()}});
  if (dispatcher_) plan.add({{"fragments", dispatcher_->octets()}, {"batches", workers_.size() * BatchWay::octets()}});
  return plan;
}

}  // namespace probe::run
