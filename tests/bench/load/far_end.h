// The device of DPDK through which a sender reaches who is measured.
#pragma once

#include <cstdint>

namespace probe::load {

// The client of a memif whose server is the reader.
inline constexpr const char* kFarEnd = "net_memif0,role=client,socket=/tmp/augprobe-load.sock,socket-abstract=no";

// Opens one queue each way: who is at the other end may come. Throws std::runtime_error.
void open_to_far_end(std::uint16_t port);

// Waits until somebody is at the other end. Throws std::runtime_error.
void wait_for_far_end(std::uint16_t port);

}  // namespace probe::load
