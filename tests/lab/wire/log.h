// The truth log: one JSON object a line for what was done to a frame, and a summary as the last line.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "probe/base/nanos.h"
#include "tests/lab/wire/frame.h"
#include "tests/lab/wire/pcap.h"

namespace probe::lab {

struct LinkCounts {
  std::uint64_t in = 0, out = 0, lost = 0, queue_drops = 0, duplicated = 0, held = 0;
};

struct Totals {
  std::uint64_t frames = 0, delivery_errors = 0, mirror_errors = 0;
  std::array<std::array<LinkCounts, 2>, 2> links;  // [link a, b][direction]
  std::vector<Nanos> lateness;                     // of each timer; sorted by the summary
};

struct LogEntry {
  const char* event;  // drop, dup, hold, ce, tap, out
  const char* why;    // random, rule, queue or empty
  char link;
  Direction direction;
  std::uint64_t id;      // of the frame, from 1 in the order of arrival at the wire
  Nanos time, received;  // wall clock
  Nanos extra;           // how much longer a held frame waits
};

class TruthLog {
 public:
  explicit TruthLog(const std::string& path) : file_(path.empty() ? nullptr : create_file(path)) {}
  bool on() const { return file_ != nullptr; }
  void write(const LogEntry& entry, const Summary& s);
  void finish(Totals& totals);  // to the log and to stderr

 private:
  File file_;
};

}  // namespace probe::lab
