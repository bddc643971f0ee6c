// Tells the service manager how the process is (sd_notify(3)); without one, nobody is told.
#pragma once

#include <optional>
#include <string_view>

#include "probe/base/nanos.h"

namespace probe::run {

// "READY=1", "STOPPING=1", "WATCHDOG=1", "RELOADING=1", "STATUS=…"; several lines in one.
void notify(std::string_view state);
// How often the service manager wants to hear WATCHDOG=1 at the least.
std::optional<Nanos> watchdog_interval();

}  // namespace probe::run
