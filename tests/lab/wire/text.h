// Numbers with units, as the command line writes them: 20ms, 0.5%, 100mbit.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "probe/base/nanos.h"

namespace probe::lab {

[[noreturn]] void fail(const std::string& what);
[[noreturn]] void fail_errno(const std::string& what);  // adds what errno means

std::vector<std::string_view> split(std::string_view text, char separator);

struct KeyValue {
  std::string_view key, value;
};
// "a=1,b=2"; empty parts are skipped.
std::vector<KeyValue> parse_key_values(std::string_view text);

double parse_number(std::string_view text);       // no unit allowed
Nanos parse_time(std::string_view text);          // s, ms, us, ns
double parse_probability(std::string_view text);  // 0.01 or 1%
double parse_rate(std::string_view text);         // bit, kbit, mbit, gbit per second

}  // namespace probe::lab
