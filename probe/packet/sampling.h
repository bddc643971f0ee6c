// Which part of the traffic is measured: chosen by what flows and packets are, so that it does not depend on workers.
#pragma once

#include <cstdint>

#include "probe/base/counters.h"
#include "probe/base/hash.h"
#include "probe/packet/packet.h"

namespace probe {

// One in so many; 1: all.
struct SamplingOptions {
  std::uint64_t flows = 1;
  std::uint64_t packets = 1;
};

// A flow's lot: the same for both directions and all packets. It has nothing to do with the bits of the hash that
// choose workers and buckets, which would then have more and less to do.
inline std::uint64_t lot_of_flow(std::uint64_t hash) { return mix(hash, 0xa0761d6478bd642fULL); }
// Lots up to this one are in a sample of one in n. A sample of one in 2n is a part of it.
constexpr std::uint64_t last_lot(std::uint64_t n) { return ~std::uint64_t{0} / n; }

// Decides of each packet that was decoded, before anything else is done with it.
class Sampler {
 public:
  Sampler(const SamplingOptions& o, Counters& counters)
      : counters_(counters),
        last_flow_(last_lot(o.flows)),
        last_packet_(last_lot(o.packets)),
        all_(o.flows == 1 && o.packets == 1) {}

  // Counts what is not taken.
  bool takes(const Packet& p) { return all_ || is_in_sample(p); }

 private:
  bool is_in_sample(const Packet&);

  Counters& counters_;
  const std::uint64_t last_flow_, last_packet_;
  const bool all_;
};

}  // namespace probe
