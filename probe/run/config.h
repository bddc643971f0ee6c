// A configuration file read into Options: all its mistakes at once.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "probe/run/options.h"

namespace probe::run {

struct Mistake {
  std::size_t line = 0;  // 0: not in a file
  std::string what;      // what is wrong, and what to write instead
};

// Reads TOML into `options`, leaving what is not mentioned. All mistakes of the file, in its order; none: it is good.
std::vector<Mistake> read_config(std::string_view toml, Options& options);
// The same from a file; a file that cannot be read is one mistake.
std::vector<Mistake> load_config(const std::string& path, Options& options);
// "section.key=value", the value written as in TOML (quotes may be left out).
std::vector<Mistake> set_option(std::string_view assignment, Options& options);
// What single values cannot tell: unknown protocols, bad URLs, timeouts that contradict each other.
std::vector<Mistake> check_options(const Options& options);

}  // namespace probe::run
