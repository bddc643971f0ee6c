// Reads a queue of a port as a worker does, and does nothing else: the limit of what any worker can reach.
#pragma once

#include <atomic>
#include <cstdint>

#include "probe/live/port.h"

namespace probe::load {

struct Read {
  std::uint64_t frames = 0;
  std::uint64_t octets = 0;
  double busy = 0;        // seconds in polls that found something
  std::uint64_t sum = 0;  // of an octet of each frame, so that it was looked at
};

Read read_until(live::Queue& queue, const std::atomic<bool>& end);

}  // namespace probe::load
