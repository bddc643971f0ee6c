// What is known of DPDK 22.11's drivers that they do not say themselves: which of their counters mean nothing, who
// spreads packets over queues, where stamps come from.
#pragma once

#include <cstdint>
#include <string_view>

namespace probe::dpdk {

// Who decides in which queue a packet is found, and whether a flow stays in one.
enum class Spread : std::uint8_t {
  rss,     // the NIC, as we tell it
  itself,  // the driver or the kernel, by flow
  sender,  // whoever fills the queues
};

// What a stamp in a buffer is.
enum class Stamp : std::uint8_t {
  hardware,      // ticks of the NIC's clock, whatever they are
  microseconds,  // since 1970
  nanoseconds,   // since 1970
};

struct Driver {
  std::string_view name;  // as in rte_eth_dev_info
  bool counts_missed = true;
  bool counts_no_memory = true;
  bool counts_errors = true;
  Spread spread = Spread::rss;
  Stamp stamp = Stamp::hardware;
  bool tells_link = true;         // else it says "up" whatever happens, and the kernel is asked
  bool needs_tx = false;          // does not start without a queue to send
  std::string_view warning = {};  // empty: none
};

// Real NICs, of which nothing special is known, get the default.
const Driver& driver(std::string_view name);

}  // namespace probe::dpdk
