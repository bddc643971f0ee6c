#include "probe/run/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "probe/run/live_worker.h"
#include "tests/probe/run/live_kit.h"

namespace probe::run {
namespace {

using doctor::Wanted;
using testing::ElementsAre;
using testing::IsEmpty;

Wanted with_ports(Options o, std::vector<std::string> ports) {
  o.capture_ports = std::move(ports);
  return wanted_of(o);
}
Options small() { return test::small_options(); }

TEST(Wanted, IsNothingOfTheMachineWithoutPorts) {
  const Wanted w = wanted_of(small());
  EXPECT_THAT(w.interfaces, IsEmpty());
  EXPECT_THAT(w.pci, IsEmpty());
  EXPECT_FALSE(w.dpdk);
  EXPECT_EQ(w.octets, 0u);
}

TEST(Wanted, AreThePortsOfTheConfiguration) {
  const Wanted w = with_ports(small(), {"socket:eth1", "dpdk:0000:03:00.0", "dpdk:03:00.1,mprq_en=1", "dpdk:net_ring0",
                                        "dpdk:net_af_packet0,qpairs=2,iface=eth2,blocksz=4096"});
  EXPECT_THAT(w.interfaces, ElementsAre("eth1", "eth2"));
  EXPECT_THAT(w.pci, ElementsAre("0000:03:00.0", "0000:03:00.1"));
  EXPECT_TRUE(w.dpdk);
}

TEST(Wanted, IsTheMemoryOfWorkersAndRings) {
  Options o = small();
  const std::uint64_t one = with_ports(o, {"socket:eth1"}).octets;
  EXPECT_GT(one, o.capture_ring_memory + o.decode_fragment_memory);
  EXPECT_EQ(with_ports(o, {"socket:eth1", "socket:eth2"}).octets, one + o.capture_ring_memory);
  o.capture_workers = 3;
  EXPECT_EQ(with_ports(o, {"socket:eth1"}).octets, 3 * one);  // a queue each
  o.capture_queues = 1;
  EXPECT_EQ(with_ports(o, {"socket:eth1"}).octets, 3 * one - 2 * o.capture_ring_memory + 3 * BatchWay::octets());
  EXPECT_EQ(with_ports(o, {"socket:eth1"}).dpdk_octets, 0u);
}

TEST(Wanted, AreHugepagesOnlyWhereDpdkIsAskedFor) {
  Options o = small();
  o.dpdk_hugepages = "required";
  EXPECT_FALSE(with_ports(o, {"socket:eth1"}).hugepages);
  EXPECT_TRUE(with_ports(o, {"dpdk:net_ring0"}).hugepages);
  o.dpdk_hugepages = "never";
  EXPECT_FALSE(with_ports(o, {"dpdk:net_ring0"}).hugepages);
  const std::uint64_t before = with_ports(o, {"dpdk:net_ring0"}).dpdk_octets;
  o.dpdk_mtu = 9000;
  EXPECT_GT(with_ports(o, {"dpdk:net_ring0"}).dpdk_octets, before);
}

TEST(Wanted, AreTheCpusThatWorkersAreTiedTo) {
  Options o = small();
  o.capture_cpus = "2-3,7";
  o.export_targets = {"udp://192.0.2.1:4739"};
  const Wanted w = wanted_of(o);
  EXPECT_THAT(w.cpus, ElementsAre(2, 3, 7));
  EXPECT_TRUE(w.udp_export);
}

}  // namespace
}  // namespace probe::run
