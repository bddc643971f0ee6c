#include "probe/run/live.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <future>

#include "probe/monitor/http_server.h"
#include "probe/monitor/local_server.h"
#include "probe/run/identity.h"
#include "probe/run/live_report.h"
#include "probe/run/log.h"
#include "probe/run/notify.h"
#include "probe/run/privileges.h"
#include "probe/run/summary.h"

namespace probe::run {
namespace {

constexpr Nanos kTick = 100 * kMillisecond;
constexpr int kFailed = 1;

// Signals that the supervisor waits for. Blocked before other threads start, so that none of them is interrupted.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set_, s);
    pthread_sigmask(SIG_BLOCK, &set_, &before_);
    std::signal(SIGPIPE, SIG_IGN);
  }
  ~Signals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  // 0 if none came.
  int wait(Nanos most) const {
    const timespec t{most / kSecond, most % kSecond};
    return std::max(sigtimedwait(&set_, nullptr, &t), 0);
  }

 private:
  sigset_t set_{}, before_{};
};

class Supervisor {
 public:
  Supervisor(const RunRequest& request, LivePorts ports)
      : request_(request),
        running_(request.options),
        probe_(request.options, std::move(ports), others()),
        report_(request.options.run_report_every) {}

  int run(const Signals& signals) {
    start();
    while (true) {
      const int signal = signals.wait(kTick);
      if (signal == SIGTERM || signal == SIGINT) return stop(signal);
      if (signal == SIGHUP) reload();
      if (const std::string why = probe_.trouble(); !why.empty()) return fail(why);
      attend();
    }
  }

 private:
  void start() {
    for (const std::string& note : probe_.ports().notes) Log(LogLevel::info, "ports").with("note", note);
    for (const auto& p : probe_.ports().ports)
      Log(LogLevel::info, "port").with("port", p->name()).with("queues", p->queues().size());
    report_.warnings(probe_.ports().ports, 0);
    Log(LogLevel::info, "memory").with("octets", probe_.memory().octets()).with("plan", probe_.memory().text());
    probe_.start();
    if (!running_.statistics_http.empty()) http_.emplace(running_.statistics_http, probe_, running_.run_hang_time);
    if (!running_.statistics_socket.empty()) local_.emplace(running_.statistics_socket, probe_, ranking_);
    Log(LogLevel::info, "started")
        .with("workers", running_.capture_workers)
        .with("targets", running_.export_targets.size());
    notify("READY=1");
  }

  // Who stands out is looked for only where somebody can ask.
  std::vector<Sink*> others() {
    return running_.statistics_socket.empty() ? std::vector<Sink*>() : std::vector<Sink*>{&ranking_};
  }

  void ping(Nanos now) {
    if (!watchdog_ || now - pinged_ < *watchdog_ / 3) return;
    notify("WATCHDOG=1");
    pinged_ = now;
  }

  void attend() {
    const Nanos now = steady_now();
    ping(now);
    if (running_.statistics_interval > 0 && now - told_ >= running_.statistics_interval) {
      probe_.tell_collectors();
      told_ = now;
    }
    if (now - looked_ < kSecond) return;
    looked_ = now;
    const Statistics s = probe_.statistics();
    report_.look(s);
    report_.warnings(probe_.ports().ports, s.uptime);
    notify("STATUS=" + report_.status());
  }

  void reload() {
    notify(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", steady_now() / kMicrosecond));
    Options next = running_;
    auto taken = std::async(std::launch::async, [&] { return take(next); });
    // The names of collectors are looked up, and a name server may take its time.
    while (taken.wait_for(std::chrono::nanoseconds(kTick)) != std::future_status::ready) ping(steady_now());
    const std::vector<std::string> mistakes = taken.get();
    for (const std::string& m : mistakes) Log(LogLevel::error, "reload-refused").with("mistake", m);
    if (mistakes.empty()) accept(next);
    notify("READY=1");
  }

  // The mistakes, if it is refused.
  std::vector<std::string> take(Options& next) {
    std::vector<std::string> mistakes;
    if (request_.reload) mistakes = request_.reload(next);
    if (mistakes.empty()) try {
        probe_.reload(next);
      } catch (const std::runtime_error& e) {
        mistakes.push_back(e.what());
      }
    else
      probe_.refuse();
    return mistakes;
  }

  void accept(const Options& next) {
    for (const std::string& name : needs_restart(running_, next))
      Log(LogLevel::warning, "reload").with("option", name).with("meaning", "it has changed, and needs a restart");
    if (next.export_targets.empty() && !running_.export_targets.empty())
      Log(LogLevel::warning, "reload")
          .with("option", "export.targets")
          .with("meaning", "there is none any more: records go nowhere");
    running_.export_targets = next.export_targets;
    running_.capture_filter = next.capture_filter;
    Log(LogLevel::info, "reloaded").with("targets", next.export_targets.size()).with("filter", next.capture_filter);
  }

  int stop(int signal) {
    notify("STOPPING=1");
    Log(LogLevel::info, "stopping").with("signal", signal == SIGTERM ? "SIGTERM" : "SIGINT");
    probe_.stop();
    if (const std::string why = probe_.trouble(); !why.empty()) return fail(why);
    finish();
    return 0;
  }

  // Whoever hangs cannot be waited for; if a thread has ended, what the others know still goes out.
  int fail(const std::string& why) {
    Log(LogLevel::error, "failed").with("reason", why);
    notify(fmt::format("STATUS=failed: {}\nSTOPPING=1", why));
    if (!probe_.hangs()) probe_.stop();
    if (probe_.hangs()) {
      std::fflush(nullptr);
      std::_Exit(kFailed);
    }
    finish();
    return kFailed;
  }

  void finish() {
    const Statistics s = probe_.statistics();
    report_.look(s);
    const Identity id = identity_of(s);
    if (!request_.quiet) {
      print_summary({s.counters(), s.dissection(), s.targets}, stderr);
      print_identity(id, stderr);
    }
    Log(id.holds() ? LogLevel::info : LogLevel::error, "ended")
        .with("offered", id.offered)
        .with("counted", id.counted)
        .with("dropped", id.dropped())
        .with("identity", id.holds() ? "holds" : "broken");
  }

  const RunRequest& request_;
  Options running_;
  monitor::RankingSink ranking_{std::chrono::nanoseconds(running_.flow_active_timeout)};
  LiveProbe probe_;
  LiveReport report_;
  std::optional<monitor::HttpServer> http_;
  std::optional<monitor::LocalServer> local_;
  const std::optional<Nanos> watchdog_ = watchdog_interval();
  Nanos pinged_ = 0, looked_ = 0, told_ = steady_now();
};

}  // namespace

std::vector<std::string> needs_restart(const Options& before, const Options& after) {
  std::vector<std::string> names;
  for (const OptionInfo& o : option_table()) {
    const std::string name = o.name();
    if (name != "export.targets" && name != "capture.filter" && to_toml(before, o) != to_toml(after, o))
      names.push_back(name);
  }
  return names;
}

int supervise(const RunRequest& request, LivePorts ports) {
  const Signals signals;
  Supervisor supervisor(request, std::move(ports));
  return supervisor.run(signals);
}

int run_live(const RunRequest& request) {
  const Signals signals;  // before a driver starts threads of its own
  LivePorts ports = open_ports(request.options);
  Log(LogLevel::info, "privileges").with("now", drop_privileges(request.options.run_user));
  return supervise(request, std::move(ports));
}

}  // namespace probe::run
