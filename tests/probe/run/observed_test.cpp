// A running probe as those see it who ask: augprobe top and Prometheus.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <nlohmann/json.hpp>
#include <regex>
#include <thread>

#include "exporter/collector/collector.h"
#include "probe/monitor/top.h"
#include "probe/run/live.h"
#include "tests/probe/monitor/ask_http.h"
#include "tests/probe/monitor/exposition.h"
#include "tests/probe/run/live_kit.h"

namespace probe::run {
namespace {

using namespace probe::test;
using monitor::Exposition;
using testing::ContainsRegex;

constexpr std::size_t kOneDroppedFor = 50;

// The same traffic again and again, 16 frames a millisecond, each time later.
class SteadyQueue final : public live::Queue {
 public:
  explicit SteadyQueue(Frames frames) : frames_(std::move(frames)) {}
  std::size_t read(std::span<Frame> out) override {
    if (steady_now() < due_) return 0;
    due_ = steady_now() + kMillisecond;
    const std::size_t n = std::min<std::size_t>(out.size(), 16);
    for (std::size_t i = 0; i < n; ++i, ++next_) {
      out[i] = frames_[next_ % frames_.size()].frame();
      out[i].time += static_cast<Nanos>(next_ / frames_.size()) * round_;
    }
    received += n;
    return n;
  }
  void release(std::size_t) override {}
  void wait(Nanos most) override {
    std::this_thread::sleep_for(std::chrono::nanoseconds(std::min(most, kMillisecond)));
  }
  std::atomic<std::uint64_t> received = 0;

 private:
  const Frames frames_;
  const Nanos round_ = frames_.back().time - frames_.front().time + 10 * kSecond;
  std::size_t next_ = 0;
  Nanos due_ = 0;
};

class SteadyPort final : public live::Port {
 public:
  SteadyPort() {
    queues_.push_back(std::make_unique<SteadyQueue>(
        captured({"http_loss_both", "http_slow_backend", "mysql_session", "dns_answers"})));
  }
  const std::string& name() const override { return name_; }
  std::span<const std::unique_ptr<live::Queue>> queues() const override { return queues_; }
  live::PortCounts counts() override {
    live::PortCounts c;
    c.received = static_cast<SteadyQueue&>(*queues_[0]).received;
    c.dropped_nic = c.received / kOneDroppedFor;
    c.link_up = true;
    return c;
  }
  std::vector<std::string> warnings() const override { return {}; }

 private:
  const std::string name_ = "steady";
  std::vector<std::unique_ptr<live::Queue>> queues_;
};

// A service from READY to SIGTERM; `look` is what others do meanwhile.
template <class Look>
void observed(const RunRequest& request, Look&& look) {
  sigset_t block;
  sigemptyset(&block);
  for (const int s : {SIGTERM, SIGHUP, SIGINT}) sigaddset(&block, s);
  pthread_sigmask(SIG_BLOCK, &block, nullptr);
  std::thread other([&] {
    look();
    kill(getpid(), SIGTERM);
  });
  LivePorts ports;
  ports.ports.push_back(std::make_unique<SteadyPort>());
  EXPECT_EQ(supervise(request, std::move(ports)), 0);
  other.join();
}

std::string what_top_prints(const std::string& socket, bool json) {
  monitor::TopRequest request;
  request.socket = socket;
  request.once = true;
  request.json = json;
  testing::internal::CaptureStdout();
  try {
    monitor::top(request);
  } catch (const std::exception&) {  // not there yet
  }
  return testing::internal::GetCapturedStdout();
}

// "12.3 k" of the screen.
double number(const std::string& text) {
  const std::size_t unit = std::string(" kMGTP").find(text.back());
  double n = std::stod(text);
  for (std::size_t i = 0; unit != std::string::npos && i < unit; ++i) n *= 1000;
  return n;
}
// What the first group of the expression is on the screen; 0 if it is nowhere.
double on(const std::string& screen, const std::string& expression) {
  std::smatch m;
  return std::regex_search(screen, m, std::regex(expression)) ? number(m[1]) : 0;
}

TEST(Observed, TopShowsRatesDropsTalkersSlowServersAndWhoSendsAgain) {
  TemporaryFolder folder;
  RunRequest request;
  request.quiet = true;
  request.options = small_options();
  request.options.statistics_socket = folder.path() + "/statistics";
  request.options.export_targets = {"null:"};
  std::string screen, json;
  observed(request, [&] {
    // Ranks come with the first records and the exporter's next second.
    EXPECT_TRUE(eventually([&] {
      screen = what_top_prints(request.options.statistics_socket, false);
      return on(screen, "\n10\\.99\\.0\\.\\d +([0-9.]+( [kM])?) +\\S+( [kM])? +\\d+\\.\\d %\n") > 0;
    })) << screen;
    json = what_top_prints(request.options.statistics_socket, true);
  });
  const std::string n = " +([0-9.]+( [kMG])?)";
  EXPECT_GT(on(screen, "packets/s" + n), 1000) << screen;
  EXPECT_GT(on(screen, "bits/s" + n), 1e6) << screen;
  EXPECT_GT(on(screen, "new flows/s" + n), 1) << screen;
  EXPECT_GT(on(screen, "transactions/s" + n), 1) << screen;
  EXPECT_THAT(screen, ContainsRegex("\nsteady +[0-9.]+ k +[1-9][0-9.]* +[1-9][0-9.]*( k)? +up\n"));
  for (const char* service : {":80 +http/tcp ", ":3306 +mysql/tcp ", ":53 +dns/udp "})
    EXPECT_THAT(screen, ContainsRegex(std::string("\n10\\.99\\.0\\.[0-9]+ > 10\\.99\\.0\\.[0-9]+") + service))
        << screen;
  for (const char* kind : {"http", "sql", "dns"})
    EXPECT_THAT(screen, ContainsRegex(std::string("\n10\\.99\\.0\\.[0-9]+ +") + kind +
                                      " +[1-9][0-9.]*( k)? +[0-9.]+ +[0-9.]+\n"))
        << screen;
  EXPECT_FALSE(access(request.options.statistics_socket.c_str(), F_OK) == 0) << "the socket is still there";

  const auto all = nlohmann::json::parse(json);
  const double received = all["ports"][0]["received_per_second"], dropped = all["ports"][0]["dropped_per_second"];
  EXPECT_NEAR(received / dropped, kOneDroppedFor, 2);
  EXPECT_GT(all["ranks"]["retransmitters"][0]["retransmitted"], 0);
  EXPECT_GE(all["ranks"]["slowest"][0]["mean_microseconds"], all["ranks"]["slowest"][1]["mean_microseconds"]);
}

int free_port() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&at), size), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size), 0);
  close(fd);
  return ntohs(at.sin_port);
}

Exposition scrape(int port) {
  const std::string answer = monitor::get(port, "/metrics");
  const std::size_t body = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.1 200 OK\r\n") || body == answer.npos) return {};
  return monitor::read_exposition(std::string_view(answer).substr(body + 4));
}

void expect_only_risen(const Exposition& before, const Exposition& after) {
  std::size_t counters = 0;
  for (const auto& [series, value] : before.values) {
    if (before.types.at(series.substr(0, series.find('{'))) != "counter") continue;
    ++counters;
    const auto now = after.values.find(series);
    if (now == after.values.end())
      ADD_FAILURE() << series << " has gone";
    else
      EXPECT_GE(now->second, value) << series;
  }
  EXPECT_GT(counters, kCounterCount);
  for (const char* busy :
       {"augprobe_capture_frames_total{worker=\"dispatcher\"}", "augprobe_port_received_packets_total{port=\"steady\"}",
        "augprobe_thread_turns_total{thread=\"exporter\"}"})
    EXPECT_GT(after.values.at(busy), before.values.at(busy)) << busy;
}

TEST(Observed, PrometheusIsToldInItsFormatAndCountersOnlyRise) {
  RunRequest request;
  request.quiet = true;
  request.options = small_options();
  request.options.capture_workers = 2;
  const int port = free_port();
  request.options.statistics_http = "127.0.0.1:" + std::to_string(port);
  request.options.export_targets = {"null:?types=off", "null:"};
  int reloads = 0;
  request.reload = [&](Options& o) -> std::vector<std::string> {
    o.export_targets = {"null:"};
    if (++reloads % 2 == 0) o.export_targets.push_back("null:?types=off");  // it left, and comes back
    return {};
  };
  observed(request, [&] {
    std::vector<Exposition> scrapes;
    for (int i = 0; i < 3; ++i) {
      if (i > 0) kill(getpid(), SIGHUP);
      EXPECT_TRUE(eventually([&] {
        const Exposition e = scrape(port);
        const auto done = e.values.find("augprobe_reloads_total"),
                   left = e.values.find("augprobe_export_records_total{target=\"null:?types=off\"}");
        if (done == e.values.end() || done->second != i || left == e.values.end() || left->second == 0) return false;
        scrapes.push_back(e);
        return true;
      })) << "scrape "
          << i;
    }
    if (scrapes.size() != 3) return;
    for (const Exposition& e : scrapes) EXPECT_THAT(e.mistakes, testing::IsEmpty());
    expect_only_risen(scrapes[0], scrapes[1]);
    expect_only_risen(scrapes[1], scrapes[2]);
  });
}

TEST(Observed, CollectorsAreToldHowManyPacketsWereCountedAndIgnored) {
  TemporaryFolder folder;
  RunRequest request;
  request.quiet = true;
  request.options = small_options();
  request.options.export_targets = {folder.target("told"), folder.target("untold") + "?statistics=off"};
  request.options.statistics_interval = 100 * kMillisecond;
  testing::internal::CaptureStderr();
  observed(request, [&] { std::this_thread::sleep_for(std::chrono::milliseconds(2500)); });
  const std::string log = testing::internal::GetCapturedStderr();
  std::smatch ended;
  ASSERT_TRUE(std::regex_search(log, ended, std::regex("offered=(\\d+) counted=(\\d+) dropped=(\\d+)"))) << log;

  Lines lines;
  Collector collector({schema::kDocumentationPen, {}}, {&lines});
  EXPECT_TRUE(collector.read_file(folder.path() + "/told"));
  const CollectorReport r = collector.report();
  EXPECT_EQ(r.lost_records, 0u);
  ASSERT_EQ(r.exporters.size(), 1u);
  const ipfix::Told& told = r.exporters[0].told;
  EXPECT_EQ(std::to_string(*told.packets), ended[2]);
  EXPECT_EQ(std::to_string(*told.packets_ignored), ended[3]);
  EXPECT_GE(told.records, r.all_records());  // on the wire: one of many fields is several
  EXPECT_EQ(told.records_not_sent, 0u);
  EXPECT_GT(told.flows, 100u);
  Collector other({schema::kDocumentationPen, {}}, {&lines});
  EXPECT_TRUE(other.read_file(folder.path() + "/untold"));
  EXPECT_TRUE(other.report().exporters.empty());
  // Those of each second and the last ones; the rest are type records.
  EXPECT_GE(r.options_records, other.report().options_records + 3 * 3);
}

}  // namespace
}  // namespace probe::run
