#include "probe/monitor/http_server.h"

#include <civetweb.h>
#include <fmt/format.h>
#include <prometheus/collectable.h>
#include <prometheus/text_serializer.h>

#include <cerrno>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string_view>

#include "probe/monitor/health.h"
#include "probe/monitor/metrics.h"

namespace probe::monitor {
namespace {

class StatisticsCollectable final : public prometheus::Collectable {
 public:
  explicit StatisticsCollectable(run::StatisticsSource& source) : source_(source) {}
  std::vector<prometheus::MetricFamily> Collect() const override { return metrics_of(source_.statistics()); }

 private:
  run::StatisticsSource& source_;
};

int answer(mg_connection* to, int status, std::string_view reason, std::string_view type, std::string_view body) {
  const std::string head = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\nConnection: "
      "close\r\n\r\n",
      status, reason, type, body.size());
  mg_write(to, head.data(), head.size());
  if (std::string_view(mg_get_request_info(to)->request_method) != "HEAD") mg_write(to, body.data(), body.size());
  return status;
}

constexpr std::string_view kText = "text/plain; charset=utf-8";

// An exception must not leave a callback of C.
template <class Make>
int guarded(mg_connection* to, Make&& make) {
  const std::string_view method = mg_get_request_info(to)->request_method;
  if (method != "GET" && method != "HEAD") return answer(to, 405, "Method Not Allowed", kText, "GET or HEAD\n");
  try {
    return make();
  } catch (const std::exception& e) {
    return answer(to, 500, "Internal Server Error", kText, fmt::format("{}\n", e.what()));
  }
}

// civetweb takes "127.0.0.1:9475" and "9475"; ":9475" is ours.
std::string listening(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  if (colon == address.npos || colon + 1 == address.size())
    throw std::runtime_error(
        fmt::format("statistics.http = \"{}\" has no port: write for example 127.0.0.1:9475", address));
  // ',' separates addresses, a letter behind the port asks for TLS or redirection: neither is meant here.
  if (address.find_first_not_of("0123456789", colon + 1) != address.npos || address.find(',') != address.npos)
    throw std::runtime_error(
        fmt::format("statistics.http = \"{}\" is no ADDRESS:PORT: write for example 127.0.0.1:9475", address));
  return colon == 0 ? address.substr(1) : address;
}

}  // namespace

struct HttpServer::Answers {
  run::StatisticsSource& source;
  StatisticsCollectable collectable;
  Nanos hang_time;

  static int metrics(mg_connection* to, void* self) {
    return guarded(to, [&] {
      std::ostringstream body;
      prometheus::TextSerializer().Serialize(body, static_cast<const Answers*>(self)->collectable.Collect());
      return answer(to, 200, "OK", "text/plain; version=0.0.4; charset=utf-8", body.str());
    });
  }
  static int health(mg_connection* to, void* self) {
    return guarded(to, [&] {
      const Answers& a = *static_cast<const Answers*>(self);
      const std::vector<std::string> ailments = ailments_of(a.source.statistics(), a.hang_time);
      if (ailments.empty()) return answer(to, 200, "OK", kText, "well\n");
      return answer(to, 503, "Service Unavailable", kText, fmt::format("{}\n", fmt::join(ailments, "\n")));
    });
  }
  static int other(mg_connection* to, void*) {
    return guarded(to, [&] { return answer(to, 404, "Not Found", kText, "/metrics or /healthz\n"); });
  }
};

HttpServer::HttpServer(const std::string& address, run::StatisticsSource& source, Nanos hang_time)
    : answers_(std::make_unique<Answers>(Answers{source, StatisticsCollectable(source), hang_time})) {
  const std::string at = listening(address);
  // Few threads and short waits: nobody but a scraper and a watcher asks.
  const char* options[] = {"listening_ports",   at.c_str(), "num_threads", "2", "request_timeout_ms", "5000",
                           "enable_keep_alive", "no",       nullptr};
  errno = 0;
  server_ = mg_start(nullptr, nullptr, options);
  if (!server_)
    throw std::runtime_error(fmt::format("statistics.http: cannot listen on {}{}{}", address, errno ? ": " : "",
                                         errno ? std::strerror(errno) : ""));
  // civetweb looks for an exact path first, then for folders, then for patterns: ** is everything else.
  mg_set_request_handler(server_, "/metrics$", &Answers::metrics, answers_.get());
  mg_set_request_handler(server_, "/healthz$", &Answers::health, answers_.get());
  mg_set_request_handler(server_, "**", &Answers::other, answers_.get());
}

HttpServer::~HttpServer() {
  if (server_) mg_stop(server_);
}

int HttpServer::port() const {
  mg_server_port port{};
  return mg_get_server_ports(server_, 1, &port) == 1 ? port.port : 0;
}

}  // namespace probe::monitor
