// Where every frame has gone: offered = counted + dropped, each drop with its reason.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "probe/run/statistics.h"

namespace probe::run {

struct Drop {
  std::string reason;   // name of a counter, or PORT.dropped_…
  std::string meaning;  // a sentence
  std::uint64_t n = 0;
};

struct Identity {
  std::uint64_t offered = 0;  // what ports received, and what they could not
  std::uint64_t counted = 0;  // packets in flows
  std::vector<Drop> drops;    // those that are not 0
  // What a driver cannot tell: ports whose losses may be more than what is offered here knows.
  std::vector<std::string> unknown;

  std::uint64_t dropped() const;
  // Holds whenever no packet is on its way. It can only fail by a mistake in the program.
  bool holds() const { return offered == counted + dropped(); }
};

Identity identity_of(const Statistics&);
void print_identity(const Identity&, std::FILE*);

}  // namespace probe::run
