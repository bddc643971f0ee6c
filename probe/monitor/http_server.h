// The HTTP server of a running probe: /metrics for Prometheus, /healthz for whoever watches it.
#pragma once

#include <memory>
#include <string>

#include "probe/run/statistics.h"

struct mg_context;

namespace probe::monitor {

class HttpServer {
 public:
  // `address`: "127.0.0.1:9475", "[::1]:9475", ":9475" (everywhere) or with port 0 (any that is free). `source` must
  // outlive the server. Throws std::runtime_error with a sentence.
  HttpServer(const std::string& address, run::StatisticsSource& source, Nanos hang_time);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  int port() const;

 private:
  struct Answers;
  std::unique_ptr<Answers> answers_;
  mg_context* server_ = nullptr;
};

}  // namespace probe::monitor
