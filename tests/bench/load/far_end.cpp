#include "tests/bench/load/far_end.h"

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

namespace probe::load {
namespace {

void check(int result, const char* what) {
  if (result != 0) throw std::runtime_error(std::string(what) + ": " + rte_strerror(result < 0 ? -result : result));
}

}  // namespace

void open_to_far_end(std::uint16_t port) {
  // For what comes back, which is nothing; it lives as long as the device.
  rte_mempool* const pool = rte_pktmbuf_pool_create("unused", 2047, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  const rte_eth_conf conf = {};
  check(rte_eth_dev_configure(port, 1, 1, &conf), "configure");
  check(rte_eth_rx_queue_setup(port, 0, 512, 0, nullptr, pool), "queue to receive");
  check(rte_eth_tx_queue_setup(port, 0, 512, 0, nullptr), "queue to send");
  check(rte_eth_dev_start(port), "start");
}

void wait_for_far_end(std::uint16_t port) {
  for (int i = 0; i < 200; ++i) {
    rte_eth_link link = {};
    if (rte_eth_link_get_nowait(port, &link) == 0 && link.link_status == RTE_ETH_LINK_UP) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  throw std::runtime_error("nobody is at the other end of the memif; its server starts first");
}

}  // namespace probe::load
