// The device of DPDK through which a sender reaches who is measured.
#pragma once

#include <rte_mempool.h>

#include <cstdint>

namespace probe::load {

// Opens one queue each way and waits until somebody is at the other end. `pool`: for what comes back. Throws
// std::runtime_error.
void reach_far_end(std::uint16_t port, rte_mempool* pool);

}  // namespace probe::load
