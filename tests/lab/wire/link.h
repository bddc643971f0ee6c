// One direction of one link: decides whether, when and how often a frame comes out at the other end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>

#include "probe/base/nanos.h"
#include "tests/lab/wire/impairment.h"
#include "tests/lab/wire/log.h"

namespace probe::lab {

struct Fate {
  const char* why = "random";
  bool dropped = false, duplicated = false, held = false, congested = false;
  Nanos release = 0;  // unless dropped
  Nanos extra = 0;    // the part of it that a hold added
};

class Link {
 public:
  Link(char name, Direction direction, const Impairment& impairment, std::uint64_t seed);
  char name() const { return name_; }
  Fate accept(std::size_t octets, const Summary& s, std::span<Rule> rules, Nanos now);
  void released() { ++counts_.out; }
  const LinkCounts& counts() const { return counts_; }

 private:
  bool in_burst();
  bool fits_queue(std::size_t octets, Nanos now, Nanos& release);

  char name_;
  Direction direction_;
  Impairment impairment_;
  std::mt19937_64 random_, more_random_;
  bool bad_ = false;        // in a burst of losses
  Nanos last_release_ = 0;  // keeps order despite jitter
  Nanos line_free_ = 0;     // rate limiter
  LinkCounts counts_;
};

}  // namespace probe::lab
