#include "probe/monitor/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probe/monitor/health.h"
#include "tests/probe/monitor/a_probe.h"
#include "tests/probe/monitor/ask_http.h"

namespace probe::monitor {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// One server for all: civetweb takes two seconds to stop.
class HttpServers : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    probe_ = std::make_unique<AProbe>();
    server_ = std::make_unique<HttpServer>("127.0.0.1:0", *probe_, 10 * kSecond);
  }
  static void TearDownTestSuite() {
    server_.reset();
    probe_.reset();
  }
  inline static std::unique_ptr<AProbe> probe_;
  inline static std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServers, AnswersPrometheus) {
  const std::string answer = get(server_->port(), "/metrics");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  EXPECT_THAT(answer, HasSubstr("augprobe_capture_frames_total{worker=\"0\"} 600\n"));
}

TEST_F(HttpServers, SaysWhetherTheProbeIsWell) {
  EXPECT_THAT(get(server_->port(), "/healthz"), StartsWith("HTTP/1.1 200 OK\r\n"));
  probe_->now.workers[1].thread.silent = 12 * kSecond;
  probe_->now.exporter.cpu_time.reset();
  const std::string ill = get(server_->port(), "/healthz");
  EXPECT_THAT(ill, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(ill, HasSubstr("\r\n\r\nworker 1 has not moved for 12 s\nexporter has ended\n"));
}

TEST_F(HttpServers, HasNothingElseToTell) {
  for (const char* path : {"/", "/metricsx", "/metrics/x", "/healthz/x", "/../etc/passwd", "/%2e%2e/etc/passwd"})
    EXPECT_THAT(get(server_->port(), path), testing::Not(HasSubstr("200 OK"))) << path;
  EXPECT_THAT(get(server_->port(), "/"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ask(server_->port(), "DELETE /metrics HTTP/1.1\r\nHost: h\r\n\r\n"), StartsWith("HTTP/1.1 405 "));
}

TEST_F(HttpServers, TellsHeadersOnlyToHead) {
  const std::string answer = ask(server_->port(), "HEAD /metrics HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(HttpServers, TellsAtOnceWhyItCannotListen) {
  for (const std::string& bad :
       {std::string("localhost"), std::string("127.0.0.1:"), std::string("127.0.0.1:80s"),
        std::string("127.0.0.1:1,127.0.0.1:2"), "127.0.0.1:" + std::to_string(server_->port())})
    EXPECT_THROW(HttpServer(bad, *probe_, 10 * kSecond), std::runtime_error) << bad;
}

TEST(Health, LooksAtTheDispatcherToo) {
  run::Statistics s = a_probe();
  EXPECT_TRUE(ailments_of(s, kSecond).empty());
  s.dispatcher = run::ThreadStatistics{"dispatcher", 1, 3 * kSecond, kSecond, {}};
  EXPECT_THAT(ailments_of(s, kSecond), testing::ElementsAre("dispatcher has not moved for 3 s"));
}

}  // namespace
}  // namespace probe::monitor
