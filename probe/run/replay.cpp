#include "probe/run/replay.h"

#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <memory>
#include <stdexcept>

#include "exporter/collector/store.h"
#include "exporter/collector/views.h"
#include "exporter/run/exporter.h"
#include "exporter/run/target.h"
#include "exporter/text/json_lines.h"
#include "probe/io/capture.h"
#include "probe/run/crew.h"
#include "probe/run/expect.h"
#include "probe/run/progress.h"
#include "probe/run/summary.h"

namespace probe::run {
namespace {

// A capture that begins so much before the end of the one ahead of it does not continue it.
constexpr Nanos kContinuation = kSecond;

// What becomes of the records, made before the first packet so that mistakes are told at once.
struct Outputs {
  Counters counters;
  std::vector<std::unique_ptr<Target>> targets;
  std::unique_ptr<JsonLines> json;
  std::unique_ptr<Store> store;
  std::unique_ptr<Expectation> expectation;
  bool tables = false;

  explicit Outputs(const ReplayRequest& r) {
    const TargetOptions options{static_cast<std::uint32_t>(r.options.export_enterprise_number),
                                static_cast<std::uint32_t>(r.options.export_observation_domain), false};
    for (const std::string& url : r.options.export_targets) targets.push_back(open_target(url, options, counters));
    if (!r.json.empty()) json = std::make_unique<JsonLines>(r.json);
    if (!r.expect.empty()) expectation = std::make_unique<Expectation>(r.expect);
    tables = targets.empty() && !json && r.store.empty() && !expectation;
    if (tables || !r.store.empty()) store = std::make_unique<Store>(r.store);
  }
  std::vector<Sink*> sinks() {
    std::vector<Sink*> all;
    for (const auto& t : targets) all.push_back(t.get());
    if (json) all.push_back(json.get());
    if (store) all.push_back(store.get());
    if (expectation) all.push_back(expectation.get());
    return all;
  }
};

// Feeds one capture to the workers; false, and a sentence, if it is damaged.
bool feed(const std::string& path, Crew& crew, Counters& counters, Progress& progress) {
  const std::unique_ptr<io::Capture> capture = io::Capture::open(path, counters);
  std::array<Frame, Pipeline::kMostPackets> frames;
  bool first = true;
  while (const std::size_t n = capture->read(frames)) {
    if (first && frames[0].time < crew.now() - kContinuation) crew.end_flows();
    first = false;
    crew.on_frames(std::span(frames).first(n));
    progress.show(path, capture->position(), capture->size(), counters[Counter::capture_frames]);
  }
  if (capture->error().message.empty()) return true;
  progress.clear();
  fmt::print(stderr, "augprobe: {}: {}\n", path, capture->error().message);
  return false;
}

}  // namespace

int replay(const ReplayRequest& request) {
  Outputs out(request);
  Exporter exporter(out.sinks());
  Counters reading;
  bool good = true;
  Crew crew(request.options, exporter);
  {
    Progress progress(!request.quiet);
    for (const std::string& path : request.captures) {
      try {
        good = feed(path, crew, reading, progress) && good;
      } catch (const std::runtime_error& e) {  // the other captures may be fine
        progress.clear();
        fmt::print(stderr, "augprobe: {}\n", e.what());
        good = false;
      }
    }
    crew.finish();
  }
  Summary summary{crew.counters(), crew.dissection(), {}};
  summary.counters += reading;
  summary.counters += out.counters;
  for (const auto& t : out.targets) {
    summary.targets.push_back(t->report());
    good = good && summary.targets.back().complete();
  }
  if (out.expectation) good = out.expectation->report(stdout) && good;
  if (out.tables) print_views(out.store->database(), ViewRequest{}, stdout);
  if (!request.quiet) print_summary(summary, stderr);
  return good ? 0 : 1;
}

}  // namespace probe::run
