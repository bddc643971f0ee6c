#include "dissectors/kit/rtp_jitter.h"

#include <algorithm>

namespace probe::rtp {

void Jitter::on_packet(Nanos now, std::uint32_t timestamp, std::uint32_t rate) {
  if (known_) {
    const std::int64_t ticks = static_cast<std::int32_t>(timestamp - timestamp_);
    const Nanos d = (now - before_) - ticks * kSecond / rate;
    const auto distance = static_cast<std::uint64_t>(d < 0 ? -d : d);
    scaled_ += distance - ((scaled_ + 8) >> 4);  // may go down: modulo 2^64 that is right
    const Nanos j = last();
    least_ = count_ == 0 ? j : std::min(least_, j);
    greatest_ = count_ == 0 ? j : std::max(greatest_, j);
    sum_ += static_cast<std::uint64_t>(j);
    ++count_;
  }
  before_ = now;
  timestamp_ = timestamp;
  known_ = true;
}

void Jitter::start_interval() {
  sum_ = 0;
  count_ = 0;
}

std::uint32_t ClockGuess::on_packet(Nanos now, std::uint32_t timestamp) {
  constexpr std::uint32_t kRates[] = {8000, 11025, 16000, 22050, 32000, 44100, 48000, 90000};
  constexpr std::int64_t kTolerance = 33;  // one part in so many; the rates are further apart
  if (tries_ > kMostTries) return 0;
  if (tries_ == 0) {
    begun_ = now;
    timestamp_ = timestamp;
    tries_ = 1;
    return 0;
  }
  const Nanos passed = now - begun_;
  if (passed < kFirstLook << (tries_ - 1)) return 0;
  ++tries_;
  const std::int64_t ticks = static_cast<std::int32_t>(timestamp - timestamp_);
  const std::int64_t rate = ticks * (kSecond / kMicrosecond) / (passed / kMicrosecond);
  for (const std::uint32_t r : kRates) {
    const std::int64_t off = rate - r;
    if ((off < 0 ? -off : off) * kTolerance <= r) return r;
  }
  return 0;
}

}  // namespace probe::rtp
