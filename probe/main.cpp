// Subcommands to exit codes.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "exporter/tools/elements.h"
#include "probe/monitor/top.h"
#include "probe/pipeline/registry.h"
#include "probe/run/collect.h"
#include "probe/run/config.h"
#include "probe/run/doctor.h"
#include "probe/run/live.h"
#include "probe/run/replay.h"
#include "probe/run/summary.h"

namespace {

using namespace probe::run;

constexpr int kUsage = 2;  // bad arguments or configuration

std::string version() {
  std::string out = "augprobe " AUGPROBE_VERSION "\ndissectors:";
  for (const probe::Dissector* d : probe::dissectors()) out += fmt::format(" {}", d->name);
  return out;
}

std::string in_file(const std::string& file, const Mistake& m) {
  return m.line > 0 ? fmt::format("{}:{}: {}", file, m.line, m.what) : fmt::format("{}: {}", file, m.what);
}

// Prints all mistakes; true if there are any.
bool tell(const std::string& file, const std::vector<Mistake>& mistakes) {
  for (const Mistake& m : mistakes) fmt::print(stderr, "{}\n", in_file(file, m));
  return !mistakes.empty();
}

// Options of the commands that take a configuration.
struct Configured {
  Options options;
  std::string file;
  std::vector<std::string> set, exports;

  void add_to(CLI::App& app) {
    app.add_option("-c,--config", file, "Configuration file (TOML); see conf/augprobe.toml")->type_name("FILE");
    app.add_option("--set", set, "Set one option, as --set flow.idle_timeout=30s; see `augprobe options`")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
  }
  // All mistakes; none: `o` is good.
  std::vector<std::string> read(Options& o) const {
    std::vector<std::string> mistakes;
    const auto add = [&](const std::string& where, const std::vector<Mistake>& more) {
      for (const Mistake& m : more) mistakes.push_back(in_file(where, m));
    };
    o = {};
    if (!file.empty()) add(file, load_config(file, o));
    for (const std::string& s : set) add("--set", set_option(s, o));
    if (!exports.empty()) o.export_targets = exports;
    add(file.empty() ? "augprobe" : file, check_options(o));
    return mistakes;
  }
  // False after all mistakes have been told.
  bool load() {
    const std::vector<std::string> mistakes = read(options);
    for (const std::string& m : mistakes) fmt::print(stderr, "{}\n", m);
    return mistakes.empty();
  }
};

void warn_of_documentation_number(const Options& o) {
  if (o.export_enterprise_number == probe::schema::kDocumentationPen && !o.export_targets.empty())
    fmt::print(stderr,
               "augprobe: own elements go out under 32473, the number for documentation (RFC 5612); set "
               "export.enterprise_number\n");
}

struct Replay {
  Configured configured;
  ReplayRequest request;
  std::uint64_t workers = 0;

  explicit Replay(CLI::App& app) {
    configured.add_to(app);
    app.add_option("captures", request.captures, "pcap or pcapng files, also compressed; - is standard input")
        ->required()
        ->type_name("CAPTURE");
    app.add_option("-e,--export", configured.exports,
                   "IPFIX target: udp://HOST:PORT, tcp://HOST:PORT, file:PATH or null:, "
                   "behind it ?profile=native (default) or ?profile=basic; may be repeated")
        ->type_name("URL")
        ->allow_extra_args(false);
    app.add_option("--json", request.json, "Write records as JSON lines; - is standard output")->type_name("FILE");
    app.add_option("--store", request.store, "Write records into an SQLite database")->type_name("FILE.sqlite");
    app.add_option("--expect", request.expect,
                   "Compare the records with these (JSON lines); exit code 1 if they differ")
        ->type_name("EXPECTED.jsonl");
    app.add_option("-w,--workers", workers, "Worker threads (capture.workers)")
        ->type_name("N")
        ->check(CLI::Range(1, 64));
    app.add_flag("-q,--quiet", request.quiet, "No progress and no summary");
    app.footer("Without any of --export, --json, --store and --expect the records are shown as tables.");
  }
  int run() {
    if (!configured.load()) return kUsage;
    request.options = configured.options;
    if (workers > 0) request.options.capture_workers = workers;
    if (!request.quiet) warn_of_documentation_number(request.options);
    return replay(request);
  }
};

struct Run {
  Configured configured;
  RunRequest request;

  explicit Run(CLI::App& app) {
    configured.add_to(app);
    app.add_option("-e,--export", configured.exports, "IPFIX target instead of those in the configuration")
        ->type_name("URL")
        ->allow_extra_args(false);
    app.add_flag("-q,--quiet", request.quiet, "No summary at the end");
    app.footer("SIGTERM and SIGINT end it when all flows are exported; SIGHUP reads export targets and filter again.");
  }
  int run() {
    if (!configured.load()) return kUsage;
    if (configured.options.capture_ports.empty()) {
      fmt::print(stderr, "augprobe: there is no port to read from: set capture.ports, e.g. [\"socket:eth1\"]\n");
      return kUsage;
    }
    request.options = configured.options;
    warn_of_documentation_number(request.options);
    request.reload = [this](Options& o) { return configured.read(o); };
    return run_live(request);
  }
};

struct Doctor {
  Configured configured;
  bool json = false;
  explicit Doctor(CLI::App& app) {
    configured.add_to(app);
    app.add_flag("--json", json, "As JSON");
  }
  int run() { return configured.load() ? examine_machine(configured.options, json) : kUsage; }
};

struct Top {
  probe::monitor::TopRequest request;
  explicit Top(CLI::App& app) {
    app.add_option("--socket", request.socket, "The probe's local socket, as its option statistics.socket")
        ->type_name("PATH")
        ->capture_default_str();
    app.add_flag("--once", request.once, "One screen of 80 columns with the rates of a second, then end");
    app.add_flag("--json", request.json, "A line of JSON each second instead of a screen");
    app.footer("On a terminal q ends it; elsewhere a screen follows the other.");
  }
};

struct Collect {
  CollectRequest request;
  std::uint64_t idle = 0;
  explicit Collect(CLI::App& app) {
    app.add_option("-l,--listen", request.listen, "udp://[HOST]:PORT or tcp://[HOST]:PORT; may be repeated")
        ->required()
        ->type_name("URL")
        ->allow_extra_args(false);
    app.add_option("--store", request.store, "Write records into an SQLite database")->type_name("FILE.sqlite");
    app.add_option("--json", request.json,
                   "Write records as JSON lines; - is standard output (default without --store)")
        ->type_name("FILE");
    app.add_option("--enterprise-number", request.enterprise, "Of the exporter's own elements")
        ->default_val(probe::schema::kDocumentationPen)
        ->type_name("N");
    app.add_option("--stop-when-idle", idle, "End when nothing has come for so long; 0: never")->type_name("SECONDS");
    app.add_flag("-q,--quiet", request.quiet, "No summary");
  }
  int run() {
    request.stop_when_idle = std::chrono::seconds(idle);
    return collect(request);
  }
};

struct Show {
  ShowRequest request;
  explicit Show(CLI::App& app) {
    app.add_option("file", request.path, "IPFIX file or SQLite database")->required()->type_name("FILE");
    CLI::Option* kind = app.add_option("-k,--kind", request.view.view,
                                       fmt::format("Only one kind: {}", fmt::join(probe::view_names(), ", ")))
                            ->type_name("KIND");
    CLI::Option* sort = app.add_option("-s,--sort", request.view.sort, "Header of the column to sort by, largest first")
                            ->type_name("COLUMN");
    app.add_option(
           "--query", request.query,
           fmt::format("Answer a question instead: SQL, or one of these: {}", fmt::join(probe::question_names(), ", ")))
        ->type_name("SQL")
        ->excludes(kind)
        ->excludes(sort);
    app.add_option("-n,--top", request.view.top, "Rows")->type_name("N")->capture_default_str();
    app.add_option("--enterprise-number", request.enterprise, "Of the exporter's own elements")
        ->default_val(probe::schema::kDocumentationPen)
        ->type_name("N");
  }
};

int check_config(const std::string& file) {
  Options options;
  const bool wrong = tell(file, load_config(file, options));
  if (tell(file, check_options(options)) || wrong) return kUsage;
  fmt::print("{}: good\n", file);
  return 0;
}

void add_format(CLI::App& app, std::string& format, std::vector<std::string> formats) {
  app.add_option("-f,--format", format, fmt::format("{}", fmt::join(formats, ", ")))
      ->capture_default_str()
      ->check(CLI::IsMember(formats))
      ->type_name("FORMAT");
}

int run(int argc, char** argv) {
  CLI::App app{"A passive probe: captured packets in, flows and transactions with their performance out, as IPFIX."};
  app.set_version_flag("--version", version());
  app.require_subcommand(1);
  CLI::App& run_app = *app.add_subcommand("run", "Measure what comes from ports until told to end");
  CLI::App& replay_app = *app.add_subcommand("replay", "Read captures and export, store, show or check the records");
  CLI::App& collect_app = *app.add_subcommand("collect", "Receive IPFIX and store or print the records");
  CLI::App& show_app = *app.add_subcommand("show", "Show records of an IPFIX file or a database as tables");
  CLI::App& doctor_app = *app.add_subcommand("doctor", "Look at the machine and say what to change for which gain");
  CLI::App& top_app = *app.add_subcommand("top", "Watch a running probe: rates, drops, talkers, slow servers");
  CLI::App& elements_app = *app.add_subcommand("elements", "List the information elements of all records");
  CLI::App& options_app = *app.add_subcommand("options", "List all options with their defaults");
  CLI::App& counters_app = *app.add_subcommand("counters", "List all counters");
  CLI::App& check_app = *app.add_subcommand("check-config", "Tell all mistakes in a configuration file");
  Run live(run_app);
  Replay replaying(replay_app);
  Collect collecting(collect_app);
  Show showing(show_app);
  Doctor examining(doctor_app);
  Top watching(top_app);
  std::string element_format = "markdown", option_format = "toml", counter_format = "markdown", config;
  add_format(elements_app, element_format, probe::element_formats());
  add_format(options_app, option_format, {"toml", "markdown"});
  add_format(counters_app, counter_format, {"markdown"});
  check_app.add_option("file", config, "Configuration file")->required()->type_name("FILE");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : kUsage;
  }
  if (run_app.parsed()) return live.run();
  if (replay_app.parsed()) return replaying.run();
  if (collect_app.parsed()) return collecting.run();
  if (show_app.parsed()) return show(showing.request);
  if (doctor_app.parsed()) return examining.run();
  if (top_app.parsed()) return probe::monitor::top(watching.request);
  if (check_app.parsed()) return check_config(config);
  if (elements_app.parsed()) fmt::print("{}", probe::elements_as(element_format));
  if (options_app.parsed()) fmt::print("{}", option_format == "toml" ? options_as_toml() : options_as_markdown());
  if (counters_app.parsed()) fmt::print("{}", counters_as_markdown());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& e) {
    fmt::print(stderr, "augprobe: {}\n", e.what());
    return kUsage;
  }
}
