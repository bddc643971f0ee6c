#include "probe/dpdk/pci_address.h"

#include <gtest/gtest.h>

namespace probe::dpdk {
namespace {

TEST(PciAddress, IsFoundWithAndWithoutDomainAndArguments) {
  EXPECT_EQ(pci_address("0000:03:00.0"), "0000:03:00.0");
  EXPECT_EQ(pci_address("03:00.1"), "0000:03:00.1");
  EXPECT_EQ(pci_address("10001:af:1f.7"), "10001:af:1f.7");
  EXPECT_EQ(pci_address("0000:AF:00.0,rx_vec_en=0"), "0000:AF:00.0");
}

TEST(PciAddress, IsNothingElse) {
  for (const char* other : {"", "03", "03:00", "03:00.8", "3:00.0", "000:03:00.0", "000000000:03:00.0", "0000:03:00.0x",
                            "0000:0g:00.0", ",03:00.0", "net_af_packet0,iface=eth1", "eth1", ":03:00.0"})
    EXPECT_EQ(pci_address(other), "") << other;
}

}  // namespace
}  // namespace probe::dpdk
