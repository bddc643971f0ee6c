#include "exporter/run/exporter.h"

#include <algorithm>
#include <cassert>
#include <chrono>

namespace probe {
namespace {

constexpr int kBatch = 256;  // records of a lane before the next one has its turn
constexpr std::chrono::microseconds kShortestNap{50}, kLongestNap{2000};
constexpr std::chrono::seconds kFlushEvery{1};

}  // namespace

Exporter::~Exporter() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void Exporter::start() {
  thread_ = std::thread([this] { loop(); });
}

void Exporter::stop() {
  stop_.store(true, std::memory_order_release);
  if (thread_.joinable()) thread_.join();
  if (trouble_) std::rethrow_exception(std::exchange(trouble_, nullptr));
}

void Exporter::deliver(const Record& r) {
  for (Sink* s : sinks_) s->put(r);
  records_.store(records_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void Exporter::finish() {
  for (Sink* s : sinks_) s->finish();
}

bool Exporter::drain() {
  bool any = false;
  for (const Lane& lane : lanes_) {
    Record* r = nullptr;
    for (int i = 0; i < kBatch && lane.records->pop(r); ++i) {
      any = true;
      if (!trouble_) {
        try {
          deliver(*r);
        } catch (...) {
          trouble_ = std::current_exception();  // workers go on: their records are only taken from them now
        }
      }
      [[maybe_unused]] const bool room = lane.back->push(r);
      assert(room);
    }
  }
  return any;
}

void Exporter::attend(Clock::time_point& flushed) {
  try {
    for (Sink* s : sinks_) s->turn();
    if (Clock::now() - flushed < kFlushEvery) return;
    for (Sink* s : sinks_) s->flush();
    flushed = Clock::now();
  } catch (...) {
    trouble_ = std::current_exception();
  }
}

void Exporter::loop() {
  auto nap = kShortestNap;
  auto flushed = Clock::now();
  for (;;) {
    // Looked at before draining: what was pushed before stop() is taken.
    const bool last = stop_.load(std::memory_order_acquire);
    const bool any = drain();
    if (!any && last) break;
    if (!trouble_) attend(flushed);
    nap = any ? kShortestNap : std::min(2 * nap, kLongestNap);
    if (!any) std::this_thread::sleep_for(nap);
  }
  guarded_finish();
}

void Exporter::guarded_finish() {
  for (Sink* s : sinks_) {
    try {
      s->finish();
    } catch (...) {
      if (!trouble_) trouble_ = std::current_exception();
    }
  }
}

}  // namespace probe
