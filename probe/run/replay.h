// `augprobe replay`: captures in, records out.
#pragma once

#include <string>
#include <vector>

#include "probe/run/options.h"

namespace probe::run {

struct ReplayRequest {
  Options options;
  std::vector<std::string> captures;
  std::string json;    // path or "-", empty: none
  std::string store;   // path of an SQLite file, empty: none
  std::string expect;  // path of expected records, empty: none
  bool quiet = false;  // no progress, no summary
};

// Exit code: 0, or 1 if a capture was damaged, a record was lost on its way out, or records were not as expected.
// Throws std::runtime_error with a sentence if it cannot begin.
int replay(const ReplayRequest&);

}  // namespace probe::run
