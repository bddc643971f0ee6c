// The command line of wire.
#pragma once

#include "tests/lab/wire/wire.h"

namespace probe::lab {

extern const char* const kUsage;

// Throws a sentence a person can act on. Answers --help by itself and exits.
Options parse_options(int count, char** arguments);

}  // namespace probe::lab
