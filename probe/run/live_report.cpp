#include "probe/run/live_report.h"

#include <fmt/format.h>

#include "probe/run/log.h"

namespace probe::run {
namespace {

// What is lost because something is too small or too slow. What a filter or a decoder leaves out is as it should be.
constexpr Counter kLosses[] = {
    Counter::dispatch_frames_unseen, Counter::dispatch_full,          Counter::flow_table_full,   Counter::flow_evicted,
    Counter::record_pool_empty,      Counter::record_exporter_behind, Counter::flow_time_set_back};

std::uint64_t lost_by(const live::PortCounts& c) {
  return c.dropped_nic.value_or(0) + c.dropped_memory.value_or(0) + c.dropped_kernel.value_or(0) +
         c.dropped_errors.value_or(0);
}

}  // namespace

void LiveReport::look(const Statistics& s) {
  losses(s);
  links(s);
  shedding(s);
  rates(s);
}

void LiveReport::loss(const std::string& reason, std::string_view meaning, std::uint64_t n, Nanos now) {
  Loss& l = losses_[reason];
  l.seen = n;
  if (l.seen <= l.told || (l.told > 0 && now - l.told_at < kQuiet)) return;
  Log(LogLevel::warning, "loss")
      .with("reason", reason)
      .with("new", l.seen - l.told)
      .with("all", n)
      .with("meaning", meaning);
  l.told = l.seen;
  l.told_at = now;
}

void LiveReport::losses(const Statistics& s) {
  for (const PortStatistics& p : s.ports) {
    loss(p.name + ".dropped_nic", "The workers are too slow for this port.", p.counts.dropped_nic.value_or(0),
         s.uptime);
    loss(p.name + ".dropped_memory", "There are not enough buffers.", p.counts.dropped_memory.value_or(0), s.uptime);
    loss(p.name + ".dropped_kernel",
         "The socket's ring is full: the workers are too slow, or capture.ring_memory is small.",
         p.counts.dropped_kernel.value_or(0), s.uptime);
    loss(p.name + ".dropped_errors", "Frames come damaged: look at cable and optics.",
         p.counts.dropped_errors.value_or(0), s.uptime);
  }
  const Counters all = s.counters();
  for (const Counter c : kLosses) loss(std::string(info_of(c).name), info_of(c).meaning, all[c], s.uptime);
  for (const TargetReport& t : s.targets) {
    loss(t.url + " queue_full", "The collector, or the configured rate, is too slow.", t.queue_full, s.uptime);
    loss(t.url + " failed", t.trouble, t.failed, s.uptime);
    std::string& before = troubles_[t.url];
    if (t.trouble != before && !t.trouble.empty())
      Log(LogLevel::warning, "target").with("url", t.url).with("trouble", t.trouble);
    before = t.trouble;
  }
}

void LiveReport::warnings(const std::vector<std::unique_ptr<live::Port>>& ports, Nanos uptime) {
  if (uptime - warned_at_ < kQuiet) return;
  warned_at_ = uptime;
  for (const auto& p : ports)
    for (const std::string& w : p->warnings()) {
      std::string gist = p->name() + w;  // the same with other numbers is not new
      std::erase_if(gist, [](char c) { return c >= '0' && c <= '9'; });
      if (warned_.insert(std::move(gist)).second)
        Log(LogLevel::warning, "port").with("port", p->name()).with("warning", w);
    }
}

void LiveReport::links(const Statistics& s) {
  for (const PortStatistics& p : s.ports) {
    if (!p.counts.link_up) continue;
    const bool up = *p.counts.link_up;
    const auto [at, first] = links_.try_emplace(p.name, true);
    if (at->second == up) continue;
    Log(up ? LogLevel::info : LogLevel::warning, "link").with("port", p.name).with("up", up);
    at->second = up;
    warned_at_ = s.uptime - kQuiet;  // the port may know why
  }
}

void LiveReport::shedding(const Statistics& s) {
  for (const WorkerStatistics& w : s.workers) {
    std::uint32_t& before = levels_[w.thread.name];
    if (w.shed_level == before) continue;
    const char* meaning = w.shed_level == 0   ? "Everything is measured again."
                          : w.shed_level == 1 ? "Too slow: the payload of new flows is not looked at."
                                              : "Too slow: of the new flows a part is measured, without their payload.";
    Log(w.shed_level > before ? LogLevel::warning : LogLevel::info, "shedding")
        .with("worker", w.thread.name)
        .with("level", w.shed_level)
        .with("one_flow_in", w.flow_sampling)
        .with("meaning", meaning);
    before = w.shed_level;
  }
}

void LiveReport::rates(const Statistics& s) {
  const Counters all = s.counters();
  std::uint64_t flows = 0, lost = 0;
  for (const WorkerStatistics& w : s.workers) flows += w.flows.used;
  for (const PortStatistics& p : s.ports) lost += lost_by(p.counts);
  for (const Counter c : {Counter::dispatch_frames_unseen, Counter::dispatch_full, Counter::flow_table_full})
    lost += all[c];
  const std::uint64_t packets = all[Counter::capture_frames];
  status_ = fmt::format("{} packets, {} lost, {} flows open", packets, lost, flows);
  if (every_ == 0 || s.uptime - rated_ < every_) return;
  const double seconds = static_cast<double>(s.uptime - rated_) / kSecond;
  const std::uint64_t octets = all[Counter::capture_octets];
  const std::uint64_t records = all[Counter::record_flows] + all[Counter::record_transactions];
  Log(LogLevel::info, "rates")
      .with("packets_per_second", static_cast<std::uint64_t>(static_cast<double>(packets - packets_) / seconds))
      .with("megabits_per_second",
            static_cast<std::uint64_t>(static_cast<double>(octets - octets_) * 8 / 1e6 / seconds))
      .with("records_per_second", static_cast<std::uint64_t>(static_cast<double>(records - records_) / seconds))
      .with("lost", lost - lost_)
      .with("flows", flows);
  rated_ = s.uptime;
  packets_ = packets;
  octets_ = octets;
  records_ = records;
  lost_ = lost;
}

}  // namespace probe::run
