#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <thread>

#include "exporter/collector/collector.h"
#include "probe/run/identity.h"
#include "probe/run/live.h"
#include "probe/run/log.h"
#include "probe/run/notify.h"
#include "tests/probe/run/live_kit.h"

namespace probe::run {
namespace {

using namespace probe::test;

// Where systemd would listen.
class Manager {
 public:
  explicit Manager(const TemporaryFolder& folder) : path_(folder.path() + "/notify") {
    socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const timeval most{20, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    setenv("NOTIFY_SOCKET", path_.c_str(), 1);
  }
  ~Manager() {
    unsetenv("NOTIFY_SOCKET");
    close(socket_);
  }
  // Hears until somebody says this.
  bool hears(const std::string& what) {
    char text[512];
    while (true) {
      const ssize_t n = recv(socket_, text, sizeof text, 0);
      if (n <= 0) return false;
      if (std::string_view(text, static_cast<std::size_t>(n)).find(what) != std::string_view::npos) return true;
    }
  }

 private:
  std::string path_;
  int socket_ = -1;
};

// supervise() in the test's thread, signals from another one, as an operator sends them.
template <class Operator>
int supervised(const RunRequest& request, LivePorts ports, Operator&& act) {
  sigset_t block;
  sigemptyset(&block);
  for (const int s : {SIGTERM, SIGHUP, SIGINT}) sigaddset(&block, s);
  pthread_sigmask(SIG_BLOCK, &block, nullptr);
  std::thread other(act);
  const int code = supervise(request, std::move(ports));
  other.join();
  return code;
}

std::uint64_t records_in(const std::string& path) {
  Lines lines;
  Collector collector({schema::kDocumentationPen, {}}, {&lines});
  EXPECT_TRUE(collector.read_file(path));
  return collector.report().all_records();
}

TEST(Supervise, SigtermEndsAllFlowsAndExportsThem) {
  TemporaryFolder folder;
  Manager manager(folder);
  const Frames frames = captured({"http_keepalive", "mysql_session"});
  RunRequest request;
  request.options = small_options();
  request.options.export_targets = {folder.target("out.ipfix")};
  auto port = std::make_unique<FakePort>(std::vector<Frames>{frames});
  FakePort* p = port.get();
  const int code = supervised(request, one_port(std::move(port)), [&] {
    EXPECT_TRUE(manager.hears("READY=1"));
    EXPECT_TRUE(eventually([&] { return p->empty(); }));
    kill(getpid(), SIGTERM);
    EXPECT_TRUE(manager.hears("STOPPING=1"));
  });
  EXPECT_EQ(code, 0);
  EXPECT_EQ(records_in(folder.path() + "/out.ipfix"), replayed(frames).size());
}

TEST(Supervise, SighupReloadsAndRefusesABadFileWithAllItsMistakes) {
  TemporaryFolder folder;
  Manager manager(folder);
  RunRequest request;
  request.quiet = true;
  request.options = small_options();
  request.options.export_targets = {folder.target("first")};
  int turn = 0;
  request.reload = [&](Options& o) -> std::vector<std::string> {
    if (++turn == 1) return {"file:3: this is wrong", "file:9: and this"};
    o.export_targets = {folder.target("second")};
    o.flow_capacity = 77;
    return {};
  };
  testing::internal::CaptureStderr();
  const Frames frames = captured({"dns_answers"});
  auto port = std::make_unique<FakePort>(std::vector<Frames>{frames});
  FakePort* p = port.get();
  p->queue(0).closed = true;
  const int code = supervised(request, one_port(std::move(port)), [&] {
    EXPECT_TRUE(manager.hears("READY=1"));
    for (int i = 0; i < 2; ++i) {
      kill(getpid(), SIGHUP);
      EXPECT_TRUE(manager.hears("RELOADING=1"));
      EXPECT_TRUE(manager.hears("READY=1"));
    }
    p->queue(0).closed = false;
    EXPECT_TRUE(eventually([&] { return p->empty(); }));
    kill(getpid(), SIGTERM);
  });
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(code, 0);
  EXPECT_THAT(log, testing::HasSubstr("event=reload-refused mistake=\"file:3: this is wrong\""));
  EXPECT_THAT(log, testing::HasSubstr("event=reload-refused mistake=\"file:9: and this\""));
  EXPECT_THAT(log, testing::HasSubstr("event=reload option=flow.capacity"));
  EXPECT_THAT(log, testing::HasSubstr("event=reloaded targets=1"));
  EXPECT_EQ(records_in(folder.path() + "/second"), replayed(frames).size());
}

// Runs a quiet probe whose manager wants a sign each 300 ms; its exit code.
int watched(RunRequest request, const std::function<void()>& meanwhile) {
  setenv("WATCHDOG_USEC", "300000", 1);
  request.quiet = true;
  request.options = small_options();
  const int code = supervised(request, one_port(std::make_unique<FakePort>(std::vector<Frames>(1))), meanwhile);
  unsetenv("WATCHDOG_USEC");
  return code;
}

TEST(Supervise, PingsTheWatchdog) {
  TemporaryFolder folder;
  Manager manager(folder);
  const int code = watched({}, [&] {
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(manager.hears("WATCHDOG=1"));
    EXPECT_TRUE(manager.hears("STATUS=0 packets"));
    kill(getpid(), SIGINT);
  });
  EXPECT_EQ(code, 0);
}

TEST(Supervise, PingsTheWatchdogWhileAReloadTakesItsTime) {
  TemporaryFolder folder;
  Manager manager(folder);
  RunRequest request;
  request.reload = [](Options&) -> std::vector<std::string> {
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    return {};
  };
  const int code = watched(std::move(request), [&] {
    EXPECT_TRUE(manager.hears("READY=1"));
    kill(getpid(), SIGHUP);
    EXPECT_TRUE(manager.hears("RELOADING=1"));
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(manager.hears("WATCHDOG=1"));
    EXPECT_TRUE(manager.hears("READY=1"));
    kill(getpid(), SIGTERM);
  });
  EXPECT_EQ(code, 0);
}

TEST(Supervise, EndsWithAReasonIfAThreadFails) {
  RunRequest request;
  request.quiet = true;
  request.options = small_options();
  auto port = std::make_unique<FakePort>(std::vector<Frames>(1));
  port->queue(0).throws = true;
  testing::internal::CaptureStderr();
  EXPECT_EQ(supervised(request, one_port(std::move(port)), [] {}), 1);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("the worker 0 ended: the cable is on fire"));
}

TEST(SuperviseDeathTest, EndsTheProcessIfAThreadHangs) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto hang = [] {
    RunRequest request;
    request.quiet = true;
    request.options = small_options();
    request.options.run_hang_time = kSecond;
    auto port = std::make_unique<FakePort>(std::vector<Frames>(1));
    port->queue(0).hangs = true;
    supervised(request, one_port(std::move(port)), [] {});
  };
  EXPECT_EXIT(hang(), testing::ExitedWithCode(1), "event=failed reason=\"the worker 0 hangs");
}

TEST(Watchdog, IsOnlyForTheProcessItIsMeantFor) {
  EXPECT_FALSE(watchdog_interval().has_value());
  setenv("WATCHDOG_USEC", "5000000", 1);
  EXPECT_EQ(watchdog_interval(), 5 * kSecond);
  setenv("WATCHDOG_PID", "1", 1);
  EXPECT_FALSE(watchdog_interval().has_value());
  unsetenv("WATCHDOG_PID");
  setenv("WATCHDOG_USEC", "soon", 1);
  EXPECT_FALSE(watchdog_interval().has_value());
  unsetenv("WATCHDOG_USEC");
}

TEST(Log, IsOneLineWhateverIsInIt) {
  testing::internal::CaptureStderr();
  { Log(LogLevel::warning, "loss").with("n", 3).with("why", "a \"b\"\nc=d").with("none", ""); }
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::EndsWith("level=warning event=loss n=3 why=\"a \\\"b\\\" c=d\" none=\"\"\n"));
}

TEST(Options, WhatAReloadCannotChangeIsNamed) {
  Options before, after;
  after.export_targets = {"null:"};
  after.capture_filter = "tcp";
  after.capture_workers = 7;
  after.flow_idle_timeout = kSecond;
  EXPECT_THAT(needs_restart(before, after), testing::ElementsAre("capture.workers", "flow.idle_timeout"));
}

}  // namespace
}  // namespace probe::run
