#include "probe/run/live_outlet.h"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace probe::run {
namespace {

std::size_t sum(const LiveOutlet::Slots& slots) { return std::accumulate(slots.begin(), slots.end(), std::size_t{0}); }

}  // namespace

LiveOutlet::LiveOutlet(const Slots& slots) : slots_(slots), records_(sum(slots)), back_(sum(slots)) {}

void LiveOutlet::put(Record* r) {
  ++away_[r->kind()];
  ++all_away_;
  [[maybe_unused]] const bool room = records_.push(r);
  assert(room);
}

bool LiveOutlet::take_back() {
  Record* r = nullptr;
  bool any = false;
  while (back_.pop(r)) {
    --away_[r->kind()];
    --all_away_;
    r->home().give(r);
    any = true;
  }
  return any;
}

double LiveOutlet::backlog() const {
  double most = 0;
  for (std::size_t k = 0; k < slots_.size(); ++k)
    if (away_[k] > 0) most = std::max(most, static_cast<double>(away_[k]) / static_cast<double>(slots_[k]));
  return most < kUsual ? 0 : most;
}

bool LiveOutlet::reclaim() {
  while (!take_back())
    if (all_away_ == 0 || !wait_ || !wait_()) return false;
  return true;
}

}  // namespace probe::run
