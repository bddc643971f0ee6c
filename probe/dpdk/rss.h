// How NICs spread packets over queues: by a hash of addresses and ports that is the same for both directions.
#pragma once

#include <rte_ethdev.h>

#include <array>
#include <cstdint>

namespace probe::dpdk {

// With two octets repeated the Toeplitz hash does not change when source and destination change places (Woo, Park:
// "Scalable TCP Session Monitoring with Symmetric Receive-side Scaling", 2012). Long enough for every NIC.
alignas(8) inline constexpr std::array<std::uint8_t, 64> kSymmetricKey = [] {
  std::array<std::uint8_t, 64> key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = i % 2 == 0 ? 0x6d : 0x5a;
  return key;
}();

// What is hashed, as far as the NIC can.
inline constexpr std::uint64_t kHashed = RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_SCTP;

}  // namespace probe::dpdk
