#include "probe/run/collect.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include "exporter/collector/collector.h"
#include "exporter/collector/store.h"
#include "exporter/text/json_lines.h"

namespace probe::run {
namespace {

std::atomic<bool> stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set by a signal handler");
void on_signal(int) { stop = true; }

// "1200 packets counted, 3 ignored": what it told, in words.
std::string told(const ipfix::Told& t) {
  std::vector<std::string> parts;
  const auto add = [&](const std::optional<std::uint64_t>& n, std::string_view what) {
    if (n) parts.push_back(fmt::format("{} {}", *n, what));
  };
  add(t.packets, "packets counted");
  add(t.packets_ignored, "packets ignored");
  add(t.flows, "flows");
  add(t.records, "records sent");
  add(t.records_not_sent, "records not sent");
  return fmt::format("{}", fmt::join(parts, ", "));
}

void print_report(const CollectorReport& r) {
  fmt::print(stderr, "\n{} messages, {} octets, {} records:", r.messages, r.octets, r.all_records());
  for (std::size_t k = 0; k < schema::kKindCount; ++k)
    if (r.records[k] > 0) fmt::print(stderr, " {} {}", r.records[k], schema::kKinds[k].name);
  fmt::print(stderr, "\n");
  const auto line = [](std::uint64_t n, std::string_view what) {
    if (n > 0) fmt::print(stderr, "{:>10} {}\n", n, what);
  };
  line(r.lost_records, "records LOST, as sequence numbers tell");
  line(r.bad_messages, "messages that are no IPFIX or are broken");
  line(r.sets_without_template, "sets without a template");
  line(r.options_records, "options records (types, statistics)");
  line(r.other_records, "records that are no flow and no transaction");
  line(r.ignored_fields, "fields of templates that are not known here");
  for (const auto& l : r.losses)
    fmt::print(stderr, "  from {} domain {}: {} data records lost\n", l.peer, l.domain, l.records);
  for (const auto& e : r.exporters) fmt::print(stderr, "  {} tells: {}\n", e.peer, told(e.told));
  for (const std::string& t : r.troubles) fmt::print(stderr, "  {}\n", t);
}

bool is_sqlite(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  std::array<char, 16> head{};
  in.read(head.data(), head.size());
  return std::string_view(head.data(), 15) == "SQLite format 3";
}

}  // namespace

int collect(const CollectRequest& request) {
  std::unique_ptr<Store> store;
  std::unique_ptr<JsonLines> json;
  std::vector<Sink*> sinks;
  if (!request.store.empty()) sinks.push_back((store = std::make_unique<Store>(request.store)).get());
  // Without a file to write to, people see the records go by.
  const std::string json_path = request.json.empty() && !store ? "-" : request.json;
  if (!json_path.empty()) sinks.push_back((json = std::make_unique<JsonLines>(json_path)).get());
  Collector collector({request.enterprise, request.stop_when_idle}, sinks);
  for (const std::string& url : request.listen) {
    const std::uint16_t port = collector.listen(url);
    if (!request.quiet) fmt::print(stderr, "listening on {} (port {})\n", url, port);
  }
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  collector.run(stop);
  for (Sink* s : sinks) s->finish();
  const CollectorReport report = collector.report();
  if (!request.quiet) print_report(report);
  return report.lost_records == 0 && report.bad_messages == 0 ? 0 : 1;
}

int show(const ShowRequest& request) {
  const auto print = [&request](sqlite3* db) {
    if (request.query.empty())
      print_views(db, request.view, stdout);
    else
      print_answer(db, request.query, request.view.top, stdout);
  };
  if (is_sqlite(request.path)) {
    print(open_database(request.path, true).get());
    return 0;
  }
  Store store("");
  Collector collector({request.enterprise, {}}, {&store});
  const bool whole = collector.read_file(request.path);
  store.finish();
  print(store.database());
  for (const std::string& t : collector.report().troubles) fmt::print(stderr, "augprobe: {}\n", t);
  return whole ? 0 : 1;
}

}  // namespace probe::run
