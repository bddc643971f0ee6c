// Pools of buffers, one for each queue.
#pragma once

#include <rte_mempool.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "probe/dpdk/port.h"

namespace probe::dpdk {

struct BufferPlan {
  std::uint32_t buffers = 0;  // of one queue
  std::uint16_t room = 0;     // octets of a buffer for a frame
};

// Longest frame of this MTU, with two VLAN tags.
constexpr std::uint32_t longest_frame(std::uint16_t mtu) { return mtu + 14u + 4u + 8u; }

// `scatter`: the driver spreads long frames over several buffers.
BufferPlan plan_buffers(const PortOptions& options, std::uint16_t descriptors, bool scatter);
std::size_t octets_of(const BufferPlan& plan);

// Frees the pool if all buffers have come back; else the pool stays, because somebody still writes to it.
struct FreePool {
  void operator()(rte_mempool* pool) const;
};
using Pool = std::unique_ptr<rte_mempool, FreePool>;

// On `socket`, or where there is memory. Throws std::runtime_error.
Pool make_pool(const std::string& name, const BufferPlan& plan, int socket);

}  // namespace probe::dpdk
