// An IPFIX target: a profile, an encoder and a transport behind one URL.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "exporter/record/sink.h"
#include "exporter/schema/element.h"
#include "probe/base/counters.h"

namespace probe {

struct TargetOptions {
  std::uint32_t enterprise = schema::kDocumentationPen;  // under which our own elements are exported
  std::uint32_t domain = 1;                              // observation domain id; 0 is that of the type records
  // Live: nothing ever waits; when a queue is full its oldest message is dropped and counted, a collector may come and
  // go. Replay: the records wait for the target, export times are packet times, and a collector that is not there is
  // an error at once.
  bool live = false;
};

// What became of the records, for the summary. Every record given is in exactly one of the four that follow `given`,
// once finish() has returned.
struct TargetReport {
  std::string url;
  std::uint64_t given = 0;         // records put
  std::uint64_t sent = 0;          // of them: all that they became was handed to the kernel
  std::uint64_t unsuitable = 0;    // the profile does not carry them (transactions in `basic`)
  std::uint64_t queue_full = 0;    // dropped because the collector was too slow
  std::uint64_t failed = 0;        // dropped because it was not there, or a write failed
  std::uint64_t data_records = 0;  // IPFIX data records sent (`basic` makes up to two of a biflow)
  std::uint64_t messages = 0, octets = 0;
  std::uint64_t templates = 0;        // wire templates in use
  std::uint64_t groups_left_out = 0;  // groups of elements not exported for want of templates, over all records
  std::uint64_t connections = 0;      // TCP connections made
  std::string trouble;                // the last, as a sentence; empty if there was none
  bool complete() const { return given == sent + unsuitable; }
};

// Which counter each number of a report is.
struct ReportedCounter {
  Counter counter;
  std::uint64_t TargetReport::*value;
};
inline constexpr ReportedCounter kReportedCounters[] = {
    {Counter::export_records, &TargetReport::sent},
    {Counter::export_records_unsuitable, &TargetReport::unsuitable},
    {Counter::export_records_queue_full, &TargetReport::queue_full},
    {Counter::export_records_failed, &TargetReport::failed},
    {Counter::export_data_records, &TargetReport::data_records},
    {Counter::export_messages, &TargetReport::messages},
    {Counter::export_octets, &TargetReport::octets},
    {Counter::export_templates, &TargetReport::templates},
    {Counter::export_groups_left_out, &TargetReport::groups_left_out},
    {Counter::export_connections, &TargetReport::connections},
};

// What a live probe tells its collectors of itself, beside what became of their records.
struct ProbeStatistics {
  std::uint64_t flows = 0, packets = 0;              // begun; counted in flows
  std::uint64_t ignored = 0;                         // packets that the probe should have counted and could not
  std::int64_t first_ignored = 0, last_ignored = 0;  // when that was noticed, nanoseconds since 1970
  std::uint64_t records_lost = 0;                    // before any target had them
};

class Target : public Sink {
 public:
  // Sends them as options records (RFC 7011 §4), unless the ones before still wait.
  virtual void tell(const ProbeStatistics&) = 0;
  virtual TargetReport report() const = 0;
  // Live: as Transport::wait_until().
  virtual void wait_until(std::chrono::steady_clock::time_point end) = 0;
};

// udp://HOST:PORT, tcp://HOST:PORT, file:PATH or null:, with options behind "?" and "&" between them:
//   profile=native|basic   default native
//   rate=OCTETS            udp: octets a second at most (default 8000000)
//   queue=OCTETS           udp, tcp: what may wait (default 16 MiB)
//   refresh=SECONDS        udp: templates are sent again that often (default 60)
//   types=on|off           RFC 5610 records about our own elements (default on in native)
//   statistics=on|off      whether tell() sends anything (default on)
// Throws std::runtime_error with a sentence for people. `counters` must outlive the target and belong to its thread.
std::unique_ptr<Target> open_target(std::string_view url, const TargetOptions& options, Counters& counters);

}  // namespace probe
