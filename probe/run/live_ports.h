// Opens what capture.ports names.
#pragma once

#include "probe/run/live_probe.h"
#include "probe/run/options.h"

namespace probe::run {

// Opens all of them. Throws std::runtime_error with all that is wrong, a sentence each.
LivePorts open_ports(const Options&);

}  // namespace probe::run
