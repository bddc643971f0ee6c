// Round-trip times between the probe and one endpoint.
#pragma once

#include <cstdint>
#include <limits>

#include "probe/base/nanos.h"

namespace probe::tcp {

// Since the last report.
struct RttStatistics {
  std::uint32_t count = 0;
  std::uint32_t min_us = 0, max_us = 0;
  double mean_us = 0, squares = 0;  // Welford: squares = sum of squared deviations from the mean
  void add(Nanos sample);
  std::uint32_t standard_deviation_us() const;
};

// The least of the latest samples: of the current spell and the one before it, so that a changed path is noticed.
class RecentMinimum {
 public:
  static constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::uint32_t kSpellUs = 10'000'000;

  void add(std::uint32_t sample_us, std::uint32_t now_us) {
    if (current_ == kNone) since_us_ = now_us;
    if (now_us - since_us_ >= kSpellUs) {
      previous_ = current_;
      current_ = kNone;
      since_us_ = now_us;
    }
    if (sample_us < current_) current_ = sample_us;
  }
  std::uint32_t least_us() const { return current_ < previous_ ? current_ : previous_; }

 private:
  std::uint32_t current_ = kNone, previous_ = kNone;
  std::uint32_t since_us_ = 0;  // wraps after 71 minutes: a spell that seems short then only lasts longer
};

}  // namespace probe::tcp
