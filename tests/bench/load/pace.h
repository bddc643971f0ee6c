// How many frames are due at a rate.
#pragma once

#include <rte_cycles.h>

#include <cstdint>

namespace probe::load {

class Pace {
 public:
  // From now on. A sender that was held up does not make up for more than `most_behind` frames.
  Pace(double frames_a_second, double seconds, double most_behind)
      : rate_(frames_a_second),
        seconds_(seconds),
        most_behind_(most_behind),
        begin_(rte_rdtsc()),
        hertz_(static_cast<double>(rte_get_tsc_hz())) {}

  double elapsed() const { return static_cast<double>(rte_rdtsc() - begin_) / hertz_; }
  bool is_over() const { return elapsed() >= seconds_; }
  // When so many were sent.
  double due(std::uint64_t sent) {
    const double behind = elapsed() * rate_ - forgiven_ - static_cast<double>(sent);
    if (behind <= most_behind_) return behind;
    forgiven_ += behind - most_behind_;
    return most_behind_;
  }

 private:
  const double rate_, seconds_, most_behind_;
  const std::uint64_t begin_;
  const double hertz_;
  double forgiven_ = 0;
};

}  // namespace probe::load
