#include "probe/packet/sampling.h"

namespace probe {
namespace {

// RFC 5475 §5.2.2.1, uniform probabilistic sampling, drawn from the packet itself instead of a generator: a replay
// takes the same packets every time. Packets of one poll can have one time, so what tells them apart counts as well.
std::uint64_t lot_of(const Packet& p) {
  const std::uint64_t lengths = std::uint64_t{p.ip_id} << 48 | std::uint64_t{p.from_high} << 32 | p.ip_octets;
  const std::uint64_t numbers =
      p.is_tcp() ? std::uint64_t{p.tcp.sequence} << 32 | p.tcp.acknowledgement : std::uint64_t{p.icmp_type_code};
  return mix(mix(p.hash, static_cast<std::uint64_t>(p.time)), mix(lengths, numbers));
}

}  // namespace

bool Sampler::is_in_sample(const Packet& p) {
  if (lot_of_flow(p.hash) > last_flow_) {
    counters_.add(Counter::sampled_out_by_flow);
    return false;
  }
  if (lot_of(p) > last_packet_) {
    counters_.add(Counter::sampled_out_by_packet);
    return false;
  }
  return true;
}

}  // namespace probe
