#include "probe/run/summary.h"

#include <fmt/format.h>

#include "probe/pipeline/registry.h"

namespace probe::run {

void print_summary(const Summary& s, std::FILE* out) {
  fmt::print(out, "\n{:<34} {:>14}\n", "counter", "value");
  for (std::size_t i = 0; i < kCounterCount; ++i) {
    const auto c = static_cast<Counter>(i);
    if (s.counters[c] > 0) fmt::print(out, "{:<34} {:>14} {}\n", info_of(c).name, s.counters[c], info_of(c).unit);
  }
  bool header = false;
  for (std::size_t i = 0; i < s.dissection.size(); ++i) {
    const DissectorCounters& d = s.dissection[i];
    if (d.flows == 0) continue;
    if (!header)
      fmt::print(out, "\n{:<12} {:>10} {:>13} {:>8} {:>9} {:>9}\n", "protocol", "flows", "transactions", "gaps",
                 "not ours", "given up");
    header = true;
    fmt::print(out, "{:<12} {:>10} {:>13} {:>8} {:>9} {:>9}\n", dissectors()[i]->name, d.flows.value(),
               d.transactions.value(), d.gaps.value(), d.not_ours.value(), d.given_up.value());
  }
  for (const TargetReport& t : s.targets) {
    fmt::print(out, "\n{}: {} records given, {} sent in {} messages ({} octets, {} templates)", t.url, t.given, t.sent,
               t.messages, t.octets, t.templates);
    if (t.unsuitable > 0) fmt::print(out, ", {} not for this profile", t.unsuitable);
    if (t.queue_full + t.failed > 0)
      fmt::print(out, ", {} LOST ({} queue full, {} failed)", t.queue_full + t.failed, t.queue_full, t.failed);
    fmt::print(out, "\n");
    if (!t.trouble.empty()) fmt::print(out, "  {}\n", t.trouble);
  }
}

std::string counters_as_markdown() {
  std::string out =
      "# Counters\n\nMade by `augprobe counters --format markdown`; do not edit.\n\n| counter | unit | meaning "
      "|\n|---|---|---|\n";
  for (std::size_t i = 0; i < kCounterCount; ++i) {
    const CounterInfo& c = info_of(static_cast<Counter>(i));
    out += fmt::format("| `{}` | {} | {} |\n", c.name, c.unit, c.meaning);
  }
  return out;
}

}  // namespace probe::run
