#include "probe/traffic/packet_measures.h"

#include <cmath>

namespace probe::traffic {
namespace {

// Of the population; the sums can be a little off where all values are equal.
double deviation(double squares, double sum, double n) {
  const double mean = sum / n;
  return std::sqrt(std::max(squares / n - mean * mean, 0.0));
}

}  // namespace

// Without a sender's clock, the time between two packets stands for what RFC 3550 §6.4.1 takes from timestamps: the
// sender is taken to send at even times.
void SideMeasures::add_gap(Nanos gap) {
  least_gap_ = gaps_ == 0 ? gap : std::min(least_gap_, gap);
  greatest_gap_ = std::max(greatest_gap_, gap);
  gap_sum_ += gap;
  const double us = static_cast<double>(gap) / kMicrosecond;
  gap_squares_ += us * us;
  if (gap > kIdle) idle_ += gap;
  if (gaps_ > 0) {
    const auto change = static_cast<std::uint64_t>(gap > last_gap_ ? gap - last_gap_ : last_gap_ - gap);
    jitter_ += change - ((jitter_ + 8) >> 4);
  }
  last_gap_ = gap;
  ++gaps_;
}

void SideMeasures::add_length(std::uint32_t n) {
  least_length_ = has_lengths() ? std::min(least_length_, n) : n;
  greatest_length_ = std::max(greatest_length_, n);
  const auto i = std::ranges::lower_bound(kClasses, n) - kClasses.begin();
  ++classes_[static_cast<std::size_t>(i)];
}

void SideMeasures::add_payload(std::uint32_t n) {
  if (non_empty_++ == 0) first_payload_ = n;
  if (n < kSmallBelow) ++small_;
  if (n > kLargeAbove) ++large_;
  most_payload_ = std::max(most_payload_, n);
  payload_ += n;
  payload_squares_ += static_cast<double>(n) * n;
}

std::uint32_t SideMeasures::payload_deviation() const {
  return static_cast<std::uint32_t>(
      std::lround(deviation(payload_squares_, static_cast<double>(payload_), non_empty_)));
}

Nanos SideMeasures::gap_deviation() const {
  const double us = deviation(gap_squares_, static_cast<double>(gap_sum_) / kMicrosecond, gaps_);
  return static_cast<Nanos>(std::llround(us)) * kMicrosecond;
}

}  // namespace probe::traffic
