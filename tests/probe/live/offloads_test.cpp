#include "probe/live/offloads.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>

#include "tests/probe/live/small_world.h"

namespace probe::live {
namespace {

LinkInfo ethernet_link() {
  LinkInfo link;
  link.hardware = ARPHRD_ETHER;
  link.mtu = 1500;
  return link;
}

TEST(Offloads, AreNoTroubleWhenTheyAreOff) {
  Offloads off;
  off.gro = off.lro = off.gso = off.tso = false;
  EXPECT_TRUE(offload_warnings("eth1", ethernet_link(), off, {}, true).empty());
  EXPECT_TRUE(offload_warnings("eth1", ethernet_link(), {}, {}, true).empty()) << "nor when nothing can be told";
}

TEST(Offloads, OfReceivingAreToldWithTheCommandAgainstThem) {
  Offloads on;
  on.gro = on.lro = on.gro_hardware = true;
  on.gro_list = false;
  const auto warnings = offload_warnings("eth1", ethernet_link(), on, {}, false);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("ethtool -K eth1 gro off rx-gro-hw off lro off"), std::string::npos) << warnings[0];
}

TEST(Offloads, OfSendingMatterOnlyIfTheSentIsCaptured) {
  Offloads on;
  on.tso = on.gso = true;
  EXPECT_TRUE(offload_warnings("eth1", ethernet_link(), on, {}, false).empty());
  const auto warnings = offload_warnings("eth1", ethernet_link(), on, {}, true);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("ethtool -K eth1 gso off tso off"), std::string::npos) << warnings[0];
}

TEST(Offloads, OfSendingMatterOnLoopbackWhereNothingIsEverCut) {
  LinkInfo loopback = ethernet_link();
  loopback.hardware = ARPHRD_LOOPBACK;
  Offloads on;
  on.tso = on.gro = true;
  const auto warnings = offload_warnings("lo", loopback, on, {}, false);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("ethtool -K lo tso off"), std::string::npos) << warnings[0];
}

class OffloadsOfAnInterface : public SmallWorld {};

TEST_F(OffloadsOfAnInterface, AreReadAsTheyAreSet) {
  shell("ip link add pair0 type veth peer name pair1");
  const auto set = [](std::uint32_t command, std::uint32_t value) {
    const int s = socket(AF_INET, SOCK_DGRAM, 0);
    ethtool_value setting{command, value};
    ifreq request{};
    std::strcpy(request.ifr_name, "pair1");
    request.ifr_data = reinterpret_cast<char*>(&setting);
    const int result = ioctl(s, SIOCETHTOOL, &request);
    close(s);
    return result == 0;
  };
  for (const bool on : {true, false, true}) {
    ASSERT_TRUE(set(ETHTOOL_SGRO, on));
    ASSERT_TRUE(set(ETHTOOL_STSO, on));
    const Offloads o = read_offloads("pair1");
    EXPECT_EQ(o.gro, on);
    EXPECT_EQ(o.tso, on);
  }
  EXPECT_EQ(read_driver("pair1"), "veth");
}

TEST_F(OffloadsOfAnInterface, CannotBeReadIfThereIsNone) {
  EXPECT_FALSE(read_offloads("eth9").gro.has_value());
  EXPECT_EQ(read_driver("eth9"), "");
}

}  // namespace
}  // namespace probe::live
