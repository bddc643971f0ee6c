// `augprobe run`: measures what comes until it is told to end.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "probe/run/live_ports.h"
#include "probe/run/options.h"

namespace probe::run {

struct RunRequest {
  Options options;
  // Reads the configuration again, for SIGHUP: all its mistakes, or none and the options.
  std::function<std::vector<std::string>(Options&)> reload;
  bool quiet = false;  // no summary at the end
};

// Opens ports, gives up privileges, runs until SIGTERM or SIGINT. Exit code 0; 1 if a thread hung or failed. Throws
// std::runtime_error with a sentence if it cannot start.
int run_live(const RunRequest&);

// The same with ports that are open. A thread that hangs ends the process here, because it cannot be joined.
int supervise(const RunRequest&, LivePorts);

// What a reload cannot change, of what these differ in: names of options.
std::vector<std::string> needs_restart(const Options& before, const Options& after);

}  // namespace probe::run
