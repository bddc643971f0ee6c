#include "probe/monitor/snapshot.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "exporter/schema/elements.h"
#include "probe/pipeline/registry.h"

namespace probe::monitor {
namespace {

using Json = nlohmann::ordered_json;
using run::Fill;
using run::Statistics;

constexpr struct {
  const char* reason;
  std::optional<std::uint64_t> live::PortCounts::*count;
} kDrops[] = {{"nic", &live::PortCounts::dropped_nic},
              {"memory", &live::PortCounts::dropped_memory},
              {"kernel", &live::PortCounts::dropped_kernel},
              {"errors", &live::PortCounts::dropped_errors}};

// Absent if the driver can tell of no drop.
std::optional<std::uint64_t> dropped(const live::PortCounts& c) {
  std::optional<std::uint64_t> sum;
  for (const auto& d : kDrops)
    if (c.*d.count) sum = sum.value_or(0) + *(c.*d.count);
  return sum;
}

// A counter that fell was of something that is new: its rate is unknown, not negative.
struct Rate {
  double seconds = 0;
  void operator()(Json& out, const char* name, std::uint64_t now, std::uint64_t before) const {
    if (seconds > 0 && now >= before) out[name] = static_cast<double>(now - before) / seconds;
  }
};

Json json_of(const Fill& f) { return {{"used", f.used}, {"capacity", f.capacity}}; }

Json json_of(const run::PortStatistics& p, const run::PortStatistics* before, const Rate& rate) {
  Json out{{"name", p.name}, {"queues", p.queues}, {"received", p.counts.received}};
  for (const auto& d : kDrops)
    if (const auto& n = p.counts.*d.count) out["dropped"][d.reason] = *n;
  if (p.counts.link_up) out["link_up"] = *p.counts.link_up;
  if (!before) return out;
  rate(out, "received_per_second", p.counts.received, before->counts.received);
  const auto now_dropped = dropped(p.counts), then_dropped = dropped(before->counts);
  if (now_dropped && then_dropped) rate(out, "dropped_per_second", *now_dropped, *then_dropped);
  return out;
}

Json json_of(const run::ThreadStatistics& t, const run::ThreadStatistics* before, const Rate& rate) {
  Json out{{"name", t.name}, {"turns", t.heartbeat}, {"silent_seconds", static_cast<double>(t.silent) / kSecond}};
  for (std::size_t i = 0; i < t.stages.size(); ++i)
    if (t.stages[i] != 0)
      out["stage_seconds"][std::string(run::kStageNames[i])] = static_cast<double>(t.stages[i]) / kSecond;
  const Nanos worked = before ? run::busy(t.stages) - run::busy(before->stages) : 0;
  if (before && out.contains("stage_seconds") && worked >= 0 && rate.seconds > 0)
    out["busy_share"] = std::min(static_cast<double>(worked) / kSecond / rate.seconds, 1.0);
  if (!t.cpu_time) return out;
  out["cpu_seconds"] = static_cast<double>(*t.cpu_time) / kSecond;
  if (before && before->cpu_time && *t.cpu_time >= *before->cpu_time && rate.seconds > 0)
    out["cpu_share"] = static_cast<double>(*t.cpu_time - *before->cpu_time) / kSecond / rate.seconds;
  return out;
}

Json json_of(const run::WorkerStatistics& w, const run::WorkerStatistics* before, const Rate& rate) {
  Json out = json_of(w.thread, before ? &before->thread : nullptr, rate);
  out["flows"] = json_of(w.flows);
  for (std::size_t k = 0; k < schema::kKindCount; ++k) out["records"][schema::kKinds[k].name] = json_of(w.records[k]);
  out["exporting"] = json_of(w.exporting);
  if (w.batches) out["batches"] = json_of(*w.batches);
  out["shed_level"] = w.shed_level;
  out["flow_sampling"] = w.flow_sampling;
  return out;
}

Json json_of(const TargetReport& t, const TargetReport* before, const Rate& rate) {
  Json out{{"url", t.url},
           {"given", t.given},
           {"sent", t.sent},
           {"unsuitable", t.unsuitable},
           {"queue_full", t.queue_full},
           {"failed", t.failed},
           {"octets", t.octets},
           {"messages", t.messages},
           {"connections", t.connections}};
  if (!t.trouble.empty()) out["trouble"] = t.trouble;
  if (before) rate(out, "sent_per_second", t.sent, before->sent);
  return out;
}

Json json_of(const Ranks& r) {
  Json out{{"seconds", r.seconds},
           {"flow_seconds", r.flow_seconds},
           {"talkers", Json::array()},
           {"slowest", Json::array()},
           {"retransmitters", Json::array()}};
  for (const Ranks::Talker& t : r.talkers)
    out["talkers"].push_back({{"client", t.client},
                              {"server", t.server},
                              {"port", t.port},
                              {"protocol", t.protocol},
                              {"application", t.application},
                              {"octets", t.octets},
                              {"packets", t.packets},
                              {"flows", t.flows}});
  for (const Ranks::Server& s : r.slowest)
    out["slowest"].push_back({{"server", s.server},
                              {"kind", s.kind},
                              {"transactions", s.transactions},
                              {"mean_microseconds", s.mean_us},
                              {"max_microseconds", s.max_us}});
  for (const Ranks::Sender& s : r.retransmitters)
    out["retransmitters"].push_back({{"host", s.host}, {"retransmitted", s.retransmitted}, {"packets", s.packets}});
  return out;
}

Json rates_of(const Statistics& now, const Statistics& before, const Rate& rate) {
  Json out{{"seconds", rate.seconds}};
  const Counters a = now.counters(), b = before.counters();
  constexpr std::pair<const char*, Counter> kRates[] = {{"packets", Counter::capture_frames},
                                                        {"octets", Counter::capture_octets},
                                                        {"flows", Counter::flow_created},
                                                        {"flow_records", Counter::record_flows},
                                                        {"transactions", Counter::record_transactions}};
  for (const auto& [name, counter] : kRates) rate(out, name, a[counter], b[counter]);
  return out;
}

template <class List>
auto* same(const List& list, std::size_t i) {
  return i < list.size() ? &list[i] : nullptr;
}

// Ports and targets come and go by reloads: they are known by their names.
template <class T>
const T* found(const std::vector<T>& list, std::string T::*name, const std::string& wanted) {
  const auto it = std::ranges::find(list, wanted, name);
  return it != list.end() ? &*it : nullptr;
}

}  // namespace

Json snapshot_of(const Statistics& now, const Statistics* before, const Ranks& ranks) {
  const Rate rate{before && now.time > before->time ? static_cast<double>(now.time - before->time) / kSecond : 0};
  if (rate.seconds == 0) before = nullptr;
  Json out{{"version", AUGPROBE_VERSION},
           {"time", static_cast<double>(now.time) / kSecond},
           {"uptime", static_cast<double>(now.uptime) / kSecond},
           {"memory_reserved", now.memory}};
  if (before) out["per_second"] = rates_of(now, *before, rate);
  for (const char* list : {"ports", "workers", "dissectors", "targets"}) out[list] = Json::array();
  for (const run::PortStatistics& p : now.ports) {
    const auto* then = before ? found(before->ports, &run::PortStatistics::name, p.name) : nullptr;
    out["ports"].push_back(json_of(p, then, rate));
  }
  for (std::size_t i = 0; i < now.workers.size(); ++i)
    out["workers"].push_back(json_of(now.workers[i], before ? same(before->workers, i) : nullptr, rate));
  if (now.dispatcher)
    out["dispatcher"] = json_of(*now.dispatcher, before && before->dispatcher ? &*before->dispatcher : nullptr, rate);
  out["exporter"] = json_of(now.exporter, before ? &before->exporter : nullptr, rate);
  const std::vector<DissectorCounters> dissection = now.dissection();
  for (std::size_t d = 0; d < dissection.size(); ++d)
    out["dissectors"].push_back({{"name", dissectors()[d]->name},
                                 {"flows", dissection[d].flows.value()},
                                 {"transactions", dissection[d].transactions.value()},
                                 {"gaps", dissection[d].gaps.value()},
                                 {"not_ours", dissection[d].not_ours.value()},
                                 {"given_up", dissection[d].given_up.value()}});
  for (const TargetReport& t : now.targets) {
    const auto* then = before ? found(before->targets, &TargetReport::url, t.url) : nullptr;
    out["targets"].push_back(json_of(t, then, rate));
  }
  const Counters all = now.counters();
  for (std::size_t i = 0; i < kCounterCount; ++i)
    out["counters"][info_of(static_cast<Counter>(i)).name] = all[static_cast<Counter>(i)];
  out["reloads"] = now.reloads;
  out["reloads_refused"] = now.reloads_refused;
  out["ranks"] = json_of(ranks);
  return out;
}

}  // namespace probe::monitor
