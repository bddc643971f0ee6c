#include "probe/dpdk/buffers.h"

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>

#include <algorithm>
#include <stdexcept>

namespace probe::dpdk {
namespace {

constexpr std::uint32_t kCache = 256;  // buffers that a thread keeps for itself
constexpr std::uint32_t kUsualRoom = 2048;
constexpr std::uint32_t kMostRoom = 65535 - RTE_PKTMBUF_HEADROOM;

}  // namespace

BufferPlan plan_buffers(const PortOptions& options, std::uint16_t descriptors, bool scatter) {
  BufferPlan plan;
  plan.buffers = descriptors + options.held + 2 * kCache;
  const std::uint32_t whole = (longest_frame(options.mtu) + 63) / 64 * 64;
  plan.room = static_cast<std::uint16_t>(std::min(scatter ? kUsualRoom : std::max(kUsualRoom, whole), kMostRoom));
  return plan;
}

std::size_t octets_of(const BufferPlan& plan) {
  // Two cache lines of rte_mbuf, one of the pool's, and padding that spreads buffers over memory channels.
  constexpr std::size_t kAround = sizeof(rte_mbuf) + RTE_PKTMBUF_HEADROOM + 3 * RTE_CACHE_LINE_SIZE;
  return plan.buffers * (plan.room + kAround + sizeof(void*)) + (1 << 20);
}

Pool make_pool(const std::string& name, const BufferPlan& plan, int socket) {
  // Without hugepages a buffer would never lie across pages of 4 kB, which costs half of the memory. DMA does not need
  // that: there devices see the process's own addresses.
  const unsigned flags = rte_eal_has_hugepages() ? 0 : RTE_MEMPOOL_F_NO_IOVA_CONTIG;
  rte_pktmbuf_pool_private sizes = {};
  sizes.mbuf_data_room_size = static_cast<std::uint16_t>(plan.room + RTE_PKTMBUF_HEADROOM);
  const auto each = static_cast<unsigned>(sizeof(rte_mbuf) + sizes.mbuf_data_room_size);
  for (const int where : {socket, static_cast<int>(SOCKET_ID_ANY)}) {
    rte_mempool* const pool =
        rte_mempool_create_empty(name.c_str(), plan.buffers, each, kCache, sizeof sizes, where, flags);
    if (!pool) continue;
    if (rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), nullptr) == 0) {
      rte_pktmbuf_pool_init(pool, &sizes);
      if (rte_mempool_populate_default(pool) >= 0) {
        rte_mempool_obj_iter(pool, rte_pktmbuf_init, nullptr);
        return Pool(pool);
      }
    }
    rte_mempool_free(pool);
  }
  throw std::runtime_error("no " + std::to_string(octets_of(plan) >> 20) +
                           " MB for the buffers of a queue: give DPDK more memory, or the port fewer descriptors");
}

void FreePool::operator()(rte_mempool* pool) const {
  if (rte_mempool_full(pool)) rte_mempool_free(pool);
}

}  // namespace probe::dpdk
