// Interarrival jitter (RFC 3550 §6.4.1, A.8), and the clock it needs.
#pragma once

#include <cstdint>

#include "probe/base/nanos.h"

namespace probe::rtp {

class Jitter {
 public:
  // A packet in the order of arrival, with its timestamp by a clock of `rate` hertz.
  void on_packet(Nanos now, std::uint32_t timestamp, std::uint32_t rate);
  // What follows has nothing to do with what came before.
  void forget() { known_ = false; }

  // Of an interval; the first packet of a stream gives none.
  std::uint32_t count() const { return count_; }
  Nanos mean() const { return static_cast<Nanos>(sum_ / count_); }
  Nanos least() const { return least_; }
  Nanos greatest() const { return greatest_; }
  Nanos last() const { return static_cast<Nanos>(scaled_ >> 4); }
  void start_interval();

 private:
  Nanos before_ = 0;
  std::uint64_t scaled_ = 0;  // 16 times the jitter, as A.8 has it
  std::uint64_t sum_ = 0;
  Nanos least_ = 0, greatest_ = 0;
  std::uint32_t timestamp_ = 0;
  std::uint32_t count_ = 0;
  bool known_ = false;
};

// Guesses the rate of timestamps that nobody announced: one of those in use, if the stream keeps to it.
class ClockGuess {
 public:
  // 0: not known (yet).
  std::uint32_t on_packet(Nanos now, std::uint32_t timestamp);
  void forget() { tries_ = 0; }

 private:
  static constexpr Nanos kFirstLook = 2 * kSecond;
  static constexpr std::uint8_t kMostTries = 4;
  Nanos begun_ = 0;
  std::uint32_t timestamp_ = 0;
  std::uint8_t tries_ = 0;
};

}  // namespace probe::rtp
