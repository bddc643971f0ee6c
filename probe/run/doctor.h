// `augprobe doctor`: what the configuration wants of the machine, and whether it is there.
#pragma once

#include "probe/doctor/doctor.h"
#include "probe/run/options.h"

namespace probe::run {

doctor::Wanted wanted_of(const Options&);

// Prints what was found. Exit code 0, or 1 if the configured capture cannot work.
int examine_machine(const Options&, bool json);

}  // namespace probe::run
