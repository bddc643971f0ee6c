#include "probe/run/live_worker.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "probe/packet/quote.h"

namespace probe::run {
namespace {

// A queue whose driver cannot sleep returns at once.
constexpr Nanos kIdle = 5 * kMillisecond;
// At the end: packets go on coming for ever, so what came before is over after so long.
constexpr Nanos kLastLook = 200 * kMillisecond;
constexpr Nanos kShortestNap = 50 * kMicrosecond, kLongestNap = kMillisecond;

void nap(Nanos n) { std::this_thread::sleep_for(std::chrono::nanoseconds(n)); }

// Those of all workers.
SheddingOptions dispatchers_shedding(const Options& o) {
  SheddingOptions s = shedding_options(live_options(o));
  s.flows *= o.capture_workers;
  return s;
}

}  // namespace

BatchWay::BatchWay() : batches_(kBatches) {
  for (Batch& b : batches_) empty_.push(&b);
}

bool BatchWay::open() {
  if (!empty_.pop(open_)) return false;
  open_->clear();
  return true;
}

bool BatchWay::add(const Packet& p, Nanos before) {
  if (!has_room()) return false;
  if (!open_->fits(p)) {
    send(before);
    if (!open()) return false;
  }
  open_->add(p);
  return true;
}

void BatchWay::send(Nanos now) {
  if (!open_ || open_->packets.empty()) return;
  open_->now = now;
  open_->shed_level = shed_level_;
  full_.push(open_);  // has room for all batches
  open_ = nullptr;
}

Batch* BatchWay::next() {
  Batch* b = nullptr;
  return full_.pop(b) ? b : nullptr;
}

LiveWorker::LiveWorker(std::size_t number, const Options& o, Exporter& exporter, std::vector<live::Queue*> queues,
                       const live::Filter* filter, Shared* shared)
    : lane_(o, exporter, shared), thread_("worker " + std::to_string(number)) {
  intake_.emplace(o, std::move(queues), filter, lane_.counters());
}

LiveWorker::LiveWorker(std::size_t number, const Options& o, Exporter& exporter, Shared* shared)
    : lane_(o, exporter, shared), batches_(new BatchWay), thread_("worker " + std::to_string(number)) {}

void LiveWorker::start() {
  thread_.start([this] { intake_ ? read_queues() : work_batches(); });
}

void LiveWorker::stop(Nanos steady_deadline) { deadline_.store(steady_deadline, std::memory_order_release); }

void LiveWorker::read_queues() {
  Nanos steady = 0;
  StageTimes& stages = thread_.heart().stages();
  const auto use = [&](std::span<const Packet> packets, Nanos newest) {
    lane_.on_burst(packets, newest, steady);
    stages.did(Stage::measure);
  };
  while (!stopping()) {
    thread_.heart().beat();
    steady = steady_now();
    if (lane_.is_to_look(steady)) lane_.look(intake_->backlog(), steady);
    if (intake_->take(wall_now(), stages, use) > 0) continue;
    lane_.rest(steady);
    intake_->wait(kIdle);
  }
  for (const Nanos end = steady_now() + kLastLook; steady < end;) {
    thread_.heart().beat();
    steady = steady_now();
    if (intake_->take(LiveIntake::kNoMore, stages, use) == 0) break;
  }
  finish();
}

void LiveWorker::work_batches() {
  StageTimes& stages = thread_.heart().stages();
  Nanos napping = kShortestNap;
  while (true) {
    thread_.heart().beat();
    const Nanos steady = steady_now();
    if (lane_.is_to_look(steady)) lane_.look(batches_->backlog(), steady);
    const bool last = batches_->closed();
    Batch* const b = batches_->next();
    stages.did(b ? Stage::receive : Stage::idle);
    if (b) {
      process(*b, steady);
      stages.did(Stage::measure);
      batches_->give_back(b);
      napping = kShortestNap;
      continue;
    }
    if (last) break;
    lane_.rest(steady);
    nap(napping);
    napping = std::min(2 * napping, kLongestNap);
  }
  finish();
}

// The time of the batch, which may be long after its first packets, ends flows only when its last ones have been seen.
void LiveWorker::process(const Batch& b, Nanos steady) {
  lane_.shed_with(b.shed_level);
  std::span<const Packet> rest = b.packets;
  while (rest.size() > Pipeline::kMostPackets) {
    const auto burst = rest.first(Pipeline::kMostPackets);
    lane_.on_burst(burst, std::ranges::max(burst, {}, &Packet::time).time, steady);
    rest = rest.subspan(burst.size());
  }
  lane_.on_burst(rest, b.now, steady);
}

void LiveWorker::finish() {
  lane_.finish([this] {
    thread_.heart().beat();
    nap(kShortestNap);
    return steady_now() < deadline_.load(std::memory_order_acquire);
  });
}

WorkerStatistics LiveWorker::statistics() {
  WorkerStatistics s;
  s.thread = thread_.heart().look();
  lane_.fill_in(s);
  if (batches_) s.batches = batches_->fill();
  return s;
}

LiveDispatcher::LiveDispatcher(const Options& o, std::vector<live::Queue*> queues, const live::Filter* filter,
                               std::vector<std::unique_ptr<LiveWorker>>& workers)
    : intake_(o, std::move(queues), filter, counters_),
      policy_(deepest_level(o)),
      shedding_(dispatchers_shedding(o), counters_) {
  for (const auto& w : workers) ways_.push_back(&w->batches());
}

void LiveDispatcher::start() {
  thread_.start([this] { loop(); });
}

void LiveDispatcher::loop() {
  while (!stop_.load(std::memory_order_acquire)) {
    thread_.heart().beat();
    look(steady_now());
    const std::size_t n = turn(wall_now());
    if (n == Pipeline::kMostPackets) continue;
    for (BatchWay* w : ways_) w->send_if_idle(newest_);
    if (n == 0) intake_.wait(kIdle);
  }
  const Nanos end = steady_now() + kLastLook;
  while (steady_now() < end && turn(LiveIntake::kNoMore) > 0) thread_.heart().beat();
  for (BatchWay* w : ways_) {
    w->send(newest_);
    w->close();
  }
}

void LiveDispatcher::look(Nanos steady) {
  if (!policy_.is_to_look(steady)) return;
  const unsigned level = policy_.look(intake_.backlog(), steady);
  if (level == shedding_.level()) return;
  shedding_.set_level(level);
  for (BatchWay* w : ways_) w->set_shed_level(level, newest_);
}

std::size_t LiveDispatcher::turn(Nanos now) {
  StageTimes& stages = thread_.heart().stages();
  if (!room_anywhere()) return intake_.pass_over(now, stages);
  return intake_.take(now, stages, [&](std::span<const Packet> packets, Nanos newest) {
    hand_on(packets, newest);
    stages.did(Stage::dispatch);
  });
}

bool LiveDispatcher::room_anywhere() {
  return std::ranges::any_of(ways_, [](BatchWay* w) { return w->has_room(); });
}

void LiveDispatcher::hand_on(std::span<const Packet> packets, Nanos newest) {
  const Nanos before = std::exchange(newest_, newest);
  const bool sheds = shedding_.active();
  for (std::size_t i = 0; sheds && i < packets.size(); ++i) shedding_.prefetch(packets[i]);
  for (const Packet& p : packets) {
    if (sheds && shedding_.sheds_from_syn(p)) continue;
    if (is_icmp_error(p))
      hand_on_error(p, before);
    else
      add(p, before);
  }
}

// An ICMP error, and what it says of another flow, which may be another worker's.
void LiveDispatcher::hand_on_error(const Packet& p, Nanos before) {
  Quote q;
  if (!read_quote(p, q) || way_of(q.key.hash()) == way_of(p.hash)) return add(p, before);
  Packet copy = p;
  copy.part = Part::without_quote;
  add(copy, before);
  copy.part = Part::only_quote;
  copy.hash = q.key.hash();
  add(copy, before);
}

void LiveDispatcher::add(const Packet& p, Nanos before) {
  // A quote for another worker is no packet: the error itself is counted with its own flow.
  if (!way_of(p.hash)->add(p, before) && p.part != Part::only_quote) counters_.add(Counter::dispatch_full);
}

}  // namespace probe::run
