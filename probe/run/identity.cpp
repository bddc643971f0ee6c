#include "probe/run/identity.h"

#include <fmt/format.h>

#include <span>

#include "probe/packet/decoder.h"

namespace probe::run {
namespace {

// Each frame that was read and is not counted in a flow is in exactly one of these, or of kDecodeRefusals.
constexpr Counter kBeforeDecoding[] = {Counter::capture_filtered, Counter::capture_duplicates,
                                       Counter::dispatch_frames_unseen};
constexpr Counter kAfterDecoding[] = {Counter::sampled_out_by_flow, Counter::sampled_out_by_packet,
                                      Counter::dispatch_full, Counter::shed_packets, Counter::flow_table_full};

void add_drops(Identity& id, std::span<const Counter> reasons, const Counters& all) {
  for (const Counter c : reasons)
    if (all[c] > 0) id.drops.push_back({std::string(info_of(c).name), std::string(info_of(c).meaning), all[c]});
}

void add_port(Identity& id, const PortStatistics& p) {
  const auto drop = [&](std::string_view what, std::string_view meaning, const std::optional<std::uint64_t>& n) {
    if (!n || *n == 0) return;
    id.offered += *n;
    id.drops.push_back({fmt::format("{}.{}", p.name, what), std::string(meaning), *n});
  };
  id.offered += p.counts.received;
  drop("dropped_nic", "Packets for which the NIC found no free descriptor: the workers were too slow.",
       p.counts.dropped_nic);
  drop("dropped_memory", "Packets for which there was no buffer.", p.counts.dropped_memory);
  drop("dropped_kernel", "Packets for which there was no room in the socket's ring.", p.counts.dropped_kernel);
  drop("dropped_errors", "Packets damaged on the wire.", p.counts.dropped_errors);
  if (!p.counts.dropped_nic && !p.counts.dropped_kernel) id.unknown.push_back(p.name);
}

}  // namespace

std::uint64_t Identity::dropped() const {
  std::uint64_t n = 0;
  for (const Drop& d : drops) n += d.n;
  return n;
}

Identity identity_of(const Statistics& s) {
  Identity id;
  for (const PortStatistics& p : s.ports) add_port(id, p);
  const Counters all = s.counters();
  id.counted = all[Counter::flow_packets];
  add_drops(id, kBeforeDecoding, all);
  add_drops(id, kDecodeRefusals, all);
  add_drops(id, kAfterDecoding, all);
  return id;
}

void print_identity(const Identity& id, std::FILE* out) {
  fmt::print(out, "\n{:>14} packets offered = {} counted in flows + {} dropped{}\n", id.offered, id.counted,
             id.dropped(), id.holds() ? "" : " (DOES NOT HOLD: please report this)");
  for (const Drop& d : id.drops) fmt::print(out, "{:>14} {}: {}\n", d.n, d.reason, d.meaning);
  for (const std::string& port : id.unknown)
    fmt::print(out, "{:>14} {}: its driver cannot tell what was lost before the probe\n", "unknown", port);
}

}  // namespace probe::run
