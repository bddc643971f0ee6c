#include "probe/monitor/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "exporter/schema/elements.h"
#include "probe/pipeline/registry.h"

namespace probe::monitor {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using run::Fill;
using run::Statistics;

constexpr double seconds(Nanos n) { return static_cast<double>(n) / kSecond; }

using Labels = std::initializer_list<std::pair<const char*, std::string>>;

class Family {
 public:
  // Counters end in _total, as Prometheus wants it.
  Family(MetricType type, std::string_view name, std::string_view help) {
    family_.type = type;
    family_.name = fmt::format("augprobe_{}{}", name, type == MetricType::Counter ? "_total" : "");
    family_.help = help;
  }
  Family& add(Labels labels, double value) {
    ClientMetric m;
    for (const auto& [name, text] : labels) m.label.push_back({name, text});
    (family_.type == MetricType::Counter ? m.counter.value : m.gauge.value) = value;
    family_.metric.push_back(std::move(m));
    return *this;
  }
  Family& add(Labels labels, std::uint64_t value) { return add(labels, static_cast<double>(value)); }
  Family& add(Labels labels, const std::optional<std::uint64_t>& value) { return value ? add(labels, *value) : *this; }
  // A family without a metric says nothing.
  void into(std::vector<MetricFamily>& out) {
    if (!family_.metric.empty()) out.push_back(std::move(family_));
  }

 private:
  MetricFamily family_;
};

Family counter(std::string_view name, std::string_view help) { return {MetricType::Counter, name, help}; }
Family gauge(std::string_view name, std::string_view help) { return {MetricType::Gauge, name, help}; }

std::string number_of(const run::WorkerStatistics& w, const Statistics& s) {
  return std::to_string(&w - s.workers.data());
}

// The exporter counts these of each target.
bool of_targets(Counter c) {
  return std::ranges::any_of(kReportedCounters, [c](const ReportedCounter& r) { return r.counter == c; });
}

void add_counters(const Statistics& s, std::vector<MetricFamily>& out) {
  for (std::size_t i = 0; i < kCounterCount; ++i) {
    const Counter c = static_cast<Counter>(i);
    if (of_targets(c)) continue;
    const CounterInfo& info = info_of(c);
    Family f = counter(info.name, info.meaning);
    if (info.name.starts_with("export_")) {
      f.add({{"worker", "exporter"}}, s.exporter_counters[c]).into(out);
      continue;
    }
    for (const run::WorkerStatistics& w : s.workers) f.add({{"worker", number_of(w, s)}}, w.counters[c]);
    if (s.dispatcher) f.add({{"worker", "dispatcher"}}, s.dispatcher_counters[c]);
    f.into(out);
  }
}

void add_targets(const Statistics& s, std::vector<MetricFamily>& out) {
  for (const ReportedCounter& r : kReportedCounters) {
    const CounterInfo& info = info_of(r.counter);
    Family f = counter(info.name, info.meaning);
    for (const TargetReport& t : s.targets) f.add({{"target", t.url}}, t.*r.value);
    f.into(out);
  }
  Family given = counter("export_records_given", "Records handed to a target, whatever became of them.");
  for (const TargetReport& t : s.targets) given.add({{"target", t.url}}, t.given);
  given.into(out);
}

void add_ports(const Statistics& s, std::vector<MetricFamily>& out) {
  Family received = counter("port_received_packets", "Packets that a port handed to the workers.");
  Family dropped =
      counter("port_dropped_packets",
              "Packets that a port dropped: nic, the workers were too slow; memory, no buffer was free; kernel, "
              "the socket's ring was full; errors, damaged on the wire. Absent where the driver cannot tell.");
  Family up = gauge("port_link_up", "1: the port has a link.");
  Family queues = gauge("port_queues", "Receive queues of a port.");
  for (const run::PortStatistics& p : s.ports) {
    received.add({{"port", p.name}}, p.counts.received);
    dropped.add({{"port", p.name}, {"reason", "nic"}}, p.counts.dropped_nic);
    dropped.add({{"port", p.name}, {"reason", "memory"}}, p.counts.dropped_memory);
    dropped.add({{"port", p.name}, {"reason", "kernel"}}, p.counts.dropped_kernel);
    dropped.add({{"port", p.name}, {"reason", "errors"}}, p.counts.dropped_errors);
    if (p.counts.link_up) up.add({{"port", p.name}}, std::uint64_t{*p.counts.link_up});
    queues.add({{"port", p.name}}, std::uint64_t{p.queues});
  }
  for (Family* f : {&received, &dropped, &up, &queues}) f->into(out);
}

void add_fills(const Statistics& s, std::vector<MetricFamily>& out) {
  const auto both = [&](std::string_view name, std::string_view what, auto&& add) {
    Family used = gauge(name, what),
           capacity = gauge(fmt::format("{}_capacity", name), fmt::format("Room for: {}", what));
    for (const run::WorkerStatistics& w : s.workers) {
      const std::string number = number_of(w, s);
      add(
          w,
          [&](const Fill& fill, Labels more) {
            used.add(more, fill.used);
            capacity.add(more, fill.capacity);
          },
          number);
    }
    used.into(out);
    capacity.into(out);
  };
  both("flows", "Flows in the table of a worker.",
       [](const run::WorkerStatistics& w, auto&& put, const std::string& n) {
         put(w.flows, {{"worker", n}});
       });
  both("records", "Records of a worker that are being written, or have not come back from the exporter.",
       [](const run::WorkerStatistics& w, auto&& put, const std::string& n) {
         for (std::size_t k = 0; k < schema::kKindCount; ++k)
           put(w.records[k], {{"worker", n}, {"kind", std::string(schema::kKinds[k].name)}});
       });
  both("export_ring_records", "Records of a worker that wait for the exporter, or are with it.",
       [](const run::WorkerStatistics& w, auto&& put, const std::string& n) {
         put(w.exporting, {{"worker", n}});
       });
  both("dispatched_batches", "Batches of packets that wait for a worker.",
       [](const run::WorkerStatistics& w, auto&& put, const std::string& n) {
         if (w.batches) put(*w.batches, {{"worker", n}});
       });
}

void add_dissectors(const Statistics& s, std::vector<MetricFamily>& out) {
  struct Column {
    std::string_view name, help;
    Count DissectorCounters::*value;
  };
  static constexpr Column kColumns[] = {
      {"dissector_flows", "Flows that a dissector followed.", &DissectorCounters::flows},
      {"dissector_transactions", "Transaction records of a dissector.", &DissectorCounters::transactions},
      {"dissector_gaps", "Gaps that a dissector was told of.", &DissectorCounters::gaps},
      {"dissector_not_ours", "Flows that a dissector found out not to be of its protocol.",
       &DissectorCounters::not_ours},
      {"dissector_given_up", "Flows in which a dissector made no progress or needed too much.",
       &DissectorCounters::given_up},
  };
  for (const Column& c : kColumns) {
    Family f = counter(c.name, c.help);
    for (const run::WorkerStatistics& w : s.workers)
      for (std::size_t d = 0; d < w.dissection.size() && d < dissectors().size(); ++d)
        f.add({{"worker", number_of(w, s)}, {"dissector", std::string(dissectors()[d]->name)}},
              (w.dissection[d].*c.value).value());
    f.into(out);
  }
}

void add_threads(const Statistics& s, std::vector<MetricFamily>& out) {
  Family turns = counter("thread_turns", "Turns of a thread's loop.");
  Family silent = gauge("thread_silent_seconds", "Since a thread was last seen to move.");
  Family cpu = counter("thread_cpu_seconds", "Processor time of a thread. Absent once it has ended.");
  Family stage = counter("stage_seconds", "Time in a stage of the way of packets, estimated from one turn in 64.");
  const auto add = [&](const run::ThreadStatistics& t) {
    turns.add({{"thread", t.name}}, t.heartbeat);
    silent.add({{"thread", t.name}}, seconds(t.silent));
    if (t.cpu_time) cpu.add({{"thread", t.name}}, seconds(*t.cpu_time));
    for (std::size_t i = 0; i < t.stages.size(); ++i)
      if (t.stages[i] != 0)
        stage.add({{"thread", t.name}, {"stage", std::string(run::kStageNames[i])}}, seconds(t.stages[i]));
  };
  for (const run::WorkerStatistics& w : s.workers) add(w.thread);
  if (s.dispatcher) add(*s.dispatcher);
  add(s.exporter);
  for (Family* f : {&turns, &silent, &cpu, &stage}) f->into(out);
}

void add_shedding(const Statistics& s, std::vector<MetricFamily>& out) {
  Family level = gauge("shed_level", "What a worker leaves out to keep up; 0: nothing. See docs/OPERATIONS.md.");
  Family sampling = gauge("flow_sampling", "One in so many new flows is measured.");
  for (const run::WorkerStatistics& w : s.workers) {
    level.add({{"worker", number_of(w, s)}}, std::uint64_t{w.shed_level});
    sampling.add({{"worker", number_of(w, s)}}, w.flow_sampling);
  }
  level.into(out);
  sampling.into(out);
}

void add_process(const Statistics& s, std::vector<MetricFamily>& out) {
  gauge("build_info", "1; the version is a label.").add({{"version", AUGPROBE_VERSION}}, std::uint64_t{1}).into(out);
  gauge("start_time_seconds", "When the probe was started, since 1970.").add({}, seconds(s.time - s.uptime)).into(out);
  gauge("memory_reserved_bytes", "Memory for flows, records and the like; touched as it is needed.")
      .add({}, s.memory)
      .into(out);
  counter("reloads", "Configurations that were taken over while running.").add({}, s.reloads).into(out);
  counter("reloads_refused", "Configurations that were refused; the one before stayed.")
      .add({}, s.reloads_refused)
      .into(out);
}

}  // namespace

std::vector<MetricFamily> metrics_of(const Statistics& s) {
  std::vector<MetricFamily> out;
  add_process(s, out);
  add_ports(s, out);
  add_counters(s, out);
  add_fills(s, out);
  add_shedding(s, out);
  add_dissectors(s, out);
  add_threads(s, out);
  add_targets(s, out);
  return out;
}

}  // namespace probe::monitor
