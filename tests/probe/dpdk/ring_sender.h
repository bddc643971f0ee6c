// A port of net_ring, and what feeds it: buffers of our own through rte_ring.
#pragma once

#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>
#include <rte_ring.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "probe/base/nanos.h"

namespace probe::dpdk {

// Octets that tell frames and places in them apart.
inline std::vector<std::uint8_t> octets_of_frame(unsigned number, std::size_t size) {
  std::vector<std::uint8_t> octets(size);
  for (std::size_t i = 0; i < size; ++i) octets[i] = static_cast<std::uint8_t>(number * 7 + i * 31 + i / 256);
  return octets;
}

class RingSender {
 public:
  static constexpr unsigned kBuffers = 511;
  static constexpr std::size_t kRoom = 256;  // octets of a buffer: longer frames are in several

  RingSender() : pool_(rte_pktmbuf_pool_create("sender", kBuffers, 0, 0, kRoom + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY)) {
    if (!pool_ || rte_mbuf_dyn_rx_timestamp_register(&stamp_offset_, &stamp_flag_) != 0)
      throw std::runtime_error("no pool");
  }
  ~RingSender() { rte_mempool_free(pool_); }

  // False if there is no buffer or no room in the ring. A time of 0: no stamp.
  bool send(const std::string& port, unsigned queue, const std::vector<std::uint8_t>& octets, Nanos time = 0) {
    rte_ring* const ring = rte_ring_lookup(("ETH_RXTX" + std::to_string(queue) + "_" + port).c_str());
    if (!ring) throw std::runtime_error("no ring of " + port);
    rte_mbuf* frame = nullptr;
    for (std::size_t at = 0; at == 0 || at < octets.size(); at += kRoom) {
      rte_mbuf* const part = rte_pktmbuf_alloc(pool_);
      if (!part || (frame && rte_pktmbuf_chain(frame, part) != 0)) {
        rte_pktmbuf_free(part);
        rte_pktmbuf_free(frame);
        return false;
      }
      if (!frame) frame = part;
      const std::size_t n = std::min(kRoom, octets.size() - at);
      std::memcpy(rte_pktmbuf_append(frame, static_cast<std::uint16_t>(n)), octets.data() + at, n);
    }
    if (time) stamp(*frame, time);
    if (rte_ring_enqueue(ring, frame) == 0) return true;
    rte_pktmbuf_free(frame);
    return false;
  }

  unsigned free_buffers() const { return rte_mempool_avail_count(pool_); }

 private:
  void stamp(rte_mbuf& frame, Nanos time) const {
    *RTE_MBUF_DYNFIELD(&frame, stamp_offset_, rte_mbuf_timestamp_t*) = static_cast<std::uint64_t>(time);
    frame.ol_flags |= stamp_flag_;
  }

  int stamp_offset_ = -1;
  std::uint64_t stamp_flag_ = 0;
  rte_mempool* pool_;
};

}  // namespace probe::dpdk
