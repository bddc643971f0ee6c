// The way of a live worker's records to the exporter: it never waits while packets come.
#pragma once

#include <array>
#include <functional>

#include "exporter/record/record.h"
#include "probe/base/ring.h"
#include "probe/pipeline/outlet.h"

namespace probe::run {

// Both rings have room for every record there is, so put() always succeeds. If the exporter is behind, the pools run
// empty, and the pipeline counts what it could not write.
class LiveOutlet final : public Outlet {
 public:
  using Slots = std::array<std::size_t, schema::kKindCount>;
  explicit LiveOutlet(const Slots& slots);

  void put(Record*) override;
  bool reclaim() override;
  bool behind(std::size_t kind) const override { return 2 * away_[kind] >= slots_[kind]; }

  // Gives back to the pools what the exporter is done with.
  bool take_back();
  // From now on a worker without memory for records waits until `wait`, called again and again, says false.
  void wait_for_exporter(std::function<bool()> wait) { wait_ = std::move(wait); }

  std::size_t away() const { return all_away_; }
  // How far the exporter is behind: the share of the records of a kind that are away; 0 while it is what always is.
  double backlog() const;
  std::size_t capacity() const { return records_.capacity(); }
  Ring<Record*>& records() { return records_; }
  Ring<Record*>& back() { return back_; }

 private:
  static constexpr double kUsual = 0.25;

  const Slots slots_;
  Ring<Record*> records_, back_;
  Slots away_{};  // with the exporter, or on the way to it and back
  std::size_t all_away_ = 0;
  std::function<bool()> wait_;  // only at the end, when no packets come
};

}  // namespace probe::run
