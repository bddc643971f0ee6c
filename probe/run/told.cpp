#include "probe/run/told.h"

#include "probe/run/identity.h"

namespace probe::run {
namespace {

// Frames that nobody misses: no IP, not wanted, copies, left out by a sample that was asked for, or counted with their
// datagram.
constexpr Counter kNotIgnored[] = {Counter::capture_filtered,    Counter::capture_duplicates,
                                   Counter::decode_arp,          Counter::decode_lldp,
                                   Counter::decode_llc,          Counter::decode_ppp_control,
                                   Counter::decode_not_ip,       Counter::decode_fragments_waiting,
                                   Counter::sampled_out_by_flow, Counter::sampled_out_by_packet};
constexpr Counter kLostRecords[] = {Counter::record_pool_empty, Counter::record_exporter_behind,
                                    Counter::export_too_late};

}  // namespace

ProbeStatistics told_of(const Statistics& s) {
  const Identity id = identity_of(s);
  const Counters all = s.counters();
  ProbeStatistics p;
  p.flows = all[Counter::flow_created];
  p.packets = id.counted;
  p.ignored = id.dropped();
  for (const Counter c : kNotIgnored) p.ignored -= all[c];
  for (const Counter c : kLostRecords) p.records_lost += all[c];
  return p;
}

}  // namespace probe::run
