// Counts what a test binary asks of the heap, to prove that the packet path asks nothing. Link `allocations`.
#pragma once

#include <cstdint>

namespace probe::kit {

// Calls of any operator new by this thread so far.
std::uint64_t allocations();

}  // namespace probe::kit
