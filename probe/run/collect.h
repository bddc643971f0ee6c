// `augprobe collect` and `augprobe show`: the other end, for validation and for a first use without other software.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "exporter/collector/views.h"

namespace probe::run {

struct CollectRequest {
  std::vector<std::string> listen;
  std::string store, json;
  std::uint32_t enterprise = 0;
  std::chrono::milliseconds stop_when_idle{0};
  bool quiet = false;
};
// Receives until SIGINT or SIGTERM, or nothing has come for stop_when_idle. Exit code 0, or 1 if records were lost.
int collect(const CollectRequest&);

struct ShowRequest {
  std::string path;  // .ipfix (RFC 5655) or SQLite, told by content
  std::uint32_t enterprise = 0;
  ViewRequest view;
  std::string query;  // a question instead of a view, if not empty
};
int show(const ShowRequest&);

}  // namespace probe::run
