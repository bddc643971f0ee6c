#include "tests/bench/load/reader.h"

#include <rte_cycles.h>

#include <array>

namespace probe::load {

Read read_until(live::Queue& queue, const std::atomic<bool>& end) {
  Read read;
  std::array<Frame, 64> frames;
  std::uint64_t busy = 0;
  while (!end.load(std::memory_order_relaxed)) {
    const std::uint64_t begin = rte_rdtsc();
    const std::size_t n = queue.read(frames);
    if (n == 0) continue;
    for (std::size_t i = 0; i < n; ++i) {
      read.octets += frames[i].octets.size();
      if (frames[i].octets.size() > 23) read.sum += frames[i].octets[23];
    }
    queue.release(n);
    read.frames += n;
    busy += rte_rdtsc() - begin;
  }
  read.busy = static_cast<double>(busy) / static_cast<double>(rte_get_tsc_hz());
  return read;
}

}  // namespace probe::load
