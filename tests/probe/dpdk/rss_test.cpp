#include "probe/dpdk/rss.h"

#include <gtest/gtest.h>
#include <rte_thash.h>

#include <cstring>
#include <random>
#include <utility>

namespace probe::dpdk {
namespace {

// What a NIC computes: addresses and ports as on the wire.
std::uint32_t hash4(const rte_ipv4_tuple& t) {
  std::uint32_t words[3];
  static_assert(sizeof words == sizeof t);
  std::memcpy(words, &t, sizeof t);
  return rte_softrss(words, RTE_THASH_V4_L4_LEN, kSymmetricKey.data());
}

TEST(Rss, BothDirectionsOfAFlowHaveTheSameHash) {
  std::mt19937 random(5);
  std::array<unsigned, 4> of_queue{};
  constexpr unsigned kFlows = 20'000;
  for (unsigned i = 0; i < kFlows; ++i) {
    rte_ipv4_tuple there = {};
    there.src_addr = random();
    there.dst_addr = random();
    there.sport = static_cast<std::uint16_t>(random());
    there.dport = static_cast<std::uint16_t>(random());
    rte_ipv4_tuple back = there;
    std::swap(back.src_addr, back.dst_addr);
    std::swap(back.sport, back.dport);
    ASSERT_EQ(hash4(there), hash4(back));
    ++of_queue[hash4(there) % of_queue.size()];
  }
  for (const unsigned flows : of_queue) EXPECT_NEAR(flows, kFlows / 4, kFlows / 40);
}

TEST(Rss, TheKeyIsLongEnoughForAddressesOfIpv6) {
  std::mt19937 random(6);
  for (int i = 0; i < 2000; ++i) {
    std::uint32_t there[9], back[9];
    for (std::uint32_t& word : there) word = random();
    for (int k = 0; k < 4; ++k) back[k] = there[k + 4], back[k + 4] = there[k];
    back[8] = there[8] << 16 | there[8] >> 16;
    ASSERT_EQ(rte_softrss(there, RTE_THASH_V6_L4_LEN, kSymmetricKey.data()),
              rte_softrss(back, RTE_THASH_V6_L4_LEN, kSymmetricKey.data()));
  }
}

}  // namespace
}  // namespace probe::dpdk
