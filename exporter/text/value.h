// One value of a record, as people and files have it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "exporter/record/record.h"

namespace probe {

// Numbers and times are numbers (times: milliseconds or microseconds since 1970), shares are fractions, all else is
// text: addresses in their usual notation (RFC 5952), MAC addresses with colons, octets in hexadecimal.
using Value = std::variant<std::uint64_t, double, std::string_view>;

// The value at a place that is there. A text that had to be made is kept in `scratch` until the next call.
Value value_of(const Record& r, std::size_t place, std::string& scratch);

}  // namespace probe
