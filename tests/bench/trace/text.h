// Words, names and filler octets of which the payload is made.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/bench/trace/random.h"

namespace trace {

const std::string& filler();  // 1 MiB of text, always the same

std::string hex(Random& random, unsigned digits);
std::string word(Random& random);
std::string host_name(Random& random);
std::string_view user_agent(Random& random);

// A number in the network's byte order, in so many octets.
std::string big_endian(std::uint32_t value, unsigned octets);

}  // namespace trace
