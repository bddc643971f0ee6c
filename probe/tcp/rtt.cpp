#include "probe/tcp/rtt.h"

#include <algorithm>
#include <cmath>

namespace probe::tcp {

void RttStatistics::add(Nanos sample) {
  const double us = static_cast<double>(sample) / static_cast<double>(kMicrosecond);
  const auto whole = static_cast<std::uint32_t>(
      std::clamp<Nanos>(sample / kMicrosecond, 0, std::numeric_limits<std::uint32_t>::max()));
  min_us = count == 0 ? whole : std::min(min_us, whole);
  max_us = std::max(max_us, whole);
  ++count;
  const double step = us - mean_us;
  mean_us += step / count;
  squares += step * (us - mean_us);
}

std::uint32_t RttStatistics::standard_deviation_us() const {
  if (count < 2) return 0;
  return static_cast<std::uint32_t>(std::lround(std::sqrt(squares / count)));
}

}  // namespace probe::tcp
