// Each check with a good tree and with bad ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/probe/doctor/fake_machine.h"

namespace probe::doctor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kMegabyte = 1 << 20;

Wanted sockets() {
  Wanted w;
  w.interfaces = {"eth1"};
  return w;
}
Wanted dpdk(std::size_t workers = 2) {
  Wanted w;
  w.pci = {"0000:3b:00.0"};
  w.dpdk = w.hugepages = true;
  w.dpdk_octets = 64 * kMegabyte;
  w.workers = workers;
  return w;
}

// The only finding. One that is not good says what to type and why; one that is good does neither.
Finding only(const Findings& all) {
  EXPECT_EQ(all.size(), 1u);
  if (all.empty()) return {};
  EXPECT_EQ(all[0].remedy.empty(), all[0].verdict == Verdict::good) << all[0].found;
  EXPECT_EQ(all[0].gain.empty(), all[0].verdict == Verdict::good) << all[0].found;
  EXPECT_FALSE(all[0].found.empty());
  return all[0];
}

TEST(Interfaces, AreThereUpAndHaveALink) {
  FakeMachine m;
  m.interface("eth1");
  EXPECT_EQ(only(check::interfaces(m.machine(), sockets())).verdict, Verdict::good);
  m.interface("eth1", "0x1003", "0");
  EXPECT_EQ(only(check::interfaces(m.machine(), sockets())).verdict, Verdict::advice);
  m.interface("eth1", "0x1002");
  const Finding down = only(check::interfaces(m.machine(), sockets()));
  EXPECT_EQ(down.verdict, Verdict::problem);
  EXPECT_EQ(down.remedy, "ip link set eth1 up");
}

TEST(Interfaces, ThatAreNotThereAreAProblemThatNamesTheOthers) {
  FakeMachine m;
  m.interface("eth7");
  const Finding f = only(check::interfaces(m.machine(), sockets()));
  EXPECT_EQ(f.verdict, Verdict::problem);
  EXPECT_THAT(f.gain, HasSubstr("eth7"));
}

TEST(Drivers, MustBeOnesThatDpdkCanUseForPortsOfTheConfiguration) {
  FakeMachine m;
  m.nic("0000:3b:00.0", "vfio-pci", "1").nic("0000:5e:00.0", "ixgbe", "-1").interface("eth0");
  m.file("sys/bus/pci/devices/0000:5e:00.0/net/eth0/address", "02:00:00:00:00:01");
  const Findings good = check::drivers(m.machine(), dpdk());
  ASSERT_EQ(good.size(), 2u);
  EXPECT_EQ(good[0].found, "vfio-pci, NUMA node 1");
  EXPECT_EQ(good[1].found, "ixgbe, interface eth0");
  EXPECT_EQ(good[0].verdict, Verdict::good);
  EXPECT_EQ(good[1].verdict, Verdict::good);  // not DPDK's

  m.nic("0000:3b:00.0", "ixgbe");
  const Finding bad = check::drivers(m.machine(), dpdk())[0];
  EXPECT_EQ(bad.verdict, Verdict::problem);
  EXPECT_THAT(bad.remedy, HasSubstr("set-override 0000:3b:00.0 vfio-pci"));

  m.nic("0000:3b:00.0", "mlx5_core");  // shared with the kernel
  EXPECT_EQ(check::drivers(m.machine(), dpdk())[0].verdict, Verdict::good);
}

TEST(Drivers, FindTheInterfacesOfVirtioBelowTheirBus) {
  FakeMachine m;
  m.nic("0000:00:03.0", "virtio-pci", "-1").file("sys/bus/pci/devices/0000:00:03.0/virtio1/net/eth0/mtu", "1500");
  EXPECT_EQ(only(check::drivers(m.machine(), sockets())).found, "virtio-pci, interface eth0");
}

TEST(Drivers, ThatAreNotThereOrOfNoNetworkDeviceAreAProblem) {
  FakeMachine m;
  EXPECT_EQ(only(check::drivers(m.machine(), dpdk())).found, "not there");
  m.nic("0000:3b:00.0", "nvme").file("sys/bus/pci/devices/0000:3b:00.0/class", "0x010802");
  const Finding f = only(check::drivers(m.machine(), dpdk()));
  EXPECT_EQ(f.found, "not a network device");
  EXPECT_EQ(f.verdict, Verdict::problem);
}

TEST(Drivers, ShareTheirDeviceWithTheKernelWhichKnowsTheLink) {
  FakeMachine m;
  m.nic("0000:3b:00.0", "mlx5_core").interface("eth5", "0x1003", "0");
  m.file("sys/bus/pci/devices/0000:3b:00.0/net/eth5/mtu", "1500");
  const Finding f = only(check::drivers(m.machine(), dpdk()));
  EXPECT_EQ(f.verdict, Verdict::advice);
  EXPECT_EQ(f.found, "mlx5_core, NUMA node 0, interface eth5, no link");
  EXPECT_EQ(only(check::drivers(m.machine(), sockets())).verdict, Verdict::good);  // not a port
}

TEST(Numa, IsNoQuestionOfOneNode) {
  FakeMachine m;
  m.nic("0000:3b:00.0", "vfio-pci").file("sys/devices/system/node/online", "0");
  EXPECT_THAT(check::numa(m.machine(), dpdk()), IsEmpty());
}

TEST(Numa, WorkersRunOnTheNodeOfTheirNics) {
  FakeMachine m;
  m.nic("0000:3b:00.0", "vfio-pci", "1").file("sys/devices/system/node/online", "0-1");
  m.file("sys/devices/system/node/node0/cpulist", "0-3").file("sys/devices/system/node/node1/cpulist", "4-7");
  Wanted w = dpdk();
  Findings all = check::numa(m.machine(), w);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].found, "1, CPUs 4-7");
  EXPECT_EQ(all[1].verdict, Verdict::advice);  // whoever polls stays wherever it was begun
  EXPECT_EQ(all[1].remedy, "--set capture.cpus=4-5");
  w.cpus = {3, 4};
  all = check::numa(m.machine(), w);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_THAT(all[1].found, HasSubstr("CPUs 3 of"));
  w.cpus = {6, 7};
  EXPECT_EQ(only(check::numa(m.machine(), w)).verdict, Verdict::good);
}

TEST(Numa, OfInterfacesIsThatOfTheirDevice) {
  FakeMachine m;
  m.file("sys/class/net/eth1/device/numa_node", "0").file("sys/devices/system/node/online", "0-1");
  m.file("sys/devices/system/node/node0/cpulist", "0-3");
  EXPECT_EQ(only(check::numa(m.machine(), sockets())).verdict, Verdict::good);  // the kernel chooses
  Wanted w = sockets();
  w.cpus = {5};
  EXPECT_EQ(check::numa(m.machine(), w).back().verdict, Verdict::advice);
  w.interfaces = {"veth0"};  // of no node
  EXPECT_THAT(check::numa(m.machine(), w), IsEmpty());
}

TEST(Iommu, IsNeededByDevicesThatVfioGives) {
  FakeMachine m;
  m.nic("0000:3b:00.0", "vfio-pci");
  EXPECT_EQ(only(check::iommu(m.machine(), dpdk())).verdict, Verdict::problem);
  EXPECT_EQ(only(check::iommu(m.machine(), sockets())).verdict, Verdict::good);
  m.file("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y");
  EXPECT_EQ(only(check::iommu(m.machine(), dpdk())).verdict, Verdict::advice);
  m.file("sys/kernel/iommu_groups/0/type", "DMA");
  EXPECT_EQ(only(check::iommu(m.machine(), dpdk())).verdict, Verdict::good);
}

TEST(Iommu, IsNotNeededByDevicesSharedWithTheKernel) {
  FakeMachine m;
  m.nic("0000:3b:00.0", "mlx5_core");
  EXPECT_EQ(only(check::iommu(m.machine(), dpdk())).verdict, Verdict::good);
}

TEST(Capabilities, OfTheCaptureAreNamedWhenTheyAreMissing) {
  FakeMachine m;
  m.file("proc/self/status", "Name:\taugprobe\nCapInh:\t0000000000000000\nCapEff:\t000001ffffffffff\nSeccomp:\t0");
  EXPECT_EQ(only(check::capabilities(m.machine(), sockets())).verdict, Verdict::good);
  m.file("proc/self/status", "CapEff:\t0000000000001000");  // CAP_NET_ADMIN alone
  const Finding f = only(check::capabilities(m.machine(), sockets()));
  EXPECT_EQ(f.verdict, Verdict::problem);
  EXPECT_EQ(f.found, "cap_net_admin; not cap_net_raw");
  m.file("proc/self/status", "CapEff:\t0000000000002000");  // CAP_NET_RAW alone
  EXPECT_EQ(only(check::capabilities(m.machine(), sockets())).verdict, Verdict::advice);
  EXPECT_EQ(only(check::capabilities(m.machine(), dpdk())).verdict, Verdict::problem);  // CAP_IPC_LOCK
  m.file("proc/self/status", "CapEff:\t0000000000000000");
  EXPECT_EQ(only(check::capabilities(m.machine(), Wanted())).verdict, Verdict::good);  // replays need none
}

TEST(Offloads, ThatAreOnAreTurnedOffByOneLine) {
  FakeMachine m;
  m.calls.offloads_of["eth1"] = {};
  EXPECT_EQ(only(check::offloads(m.machine(), sockets())).verdict, Verdict::good);
  m.calls.offloads_of["eth1"] = {"gro", "tso"};
  const Finding f = only(check::offloads(m.machine(), sockets()));
  EXPECT_EQ(f.verdict, Verdict::advice);
  EXPECT_EQ(f.remedy, "ethtool -K eth1 gro off tso off");
}

TEST(ReceiveRings, ShouldBeAsLongAsTheNicHasThem) {
  FakeMachine m;
  EXPECT_THAT(check::rings(m.machine(), sockets()), IsEmpty());
  m.calls.rings_of["eth1"] = {4096, 4096};
  EXPECT_EQ(only(check::rings(m.machine(), sockets())).verdict, Verdict::good);
  m.calls.rings_of["eth1"] = {256, 4096};
  EXPECT_EQ(only(check::rings(m.machine(), sockets())).remedy, "ethtool -G eth1 rx 4096");
}

TEST(Memory, MustBeThereForAllThatIsConfigured) {
  FakeMachine m;
  m.file("proc/meminfo", "MemTotal:       16000000 kB\nMemAvailable:    8000000 kB");
  Wanted w;
  w.octets = 7'000'000'000;
  EXPECT_EQ(only(check::memory(m.machine(), w)).verdict, Verdict::good);
  w.octets = 9'000'000'000;
  EXPECT_EQ(only(check::memory(m.machine(), w)).verdict, Verdict::problem);
  w = dpdk();
  w.dpdk_octets = 9'000'000'000;
  EXPECT_EQ(only(check::memory(m.machine(), w)).verdict, Verdict::good);  // hugepages are set aside already
  w.hugepages = false;
  EXPECT_EQ(only(check::memory(m.machine(), w)).verdict, Verdict::problem);
}

TEST(Hugepages, MustHoldTheMemoryOfDpdk) {
  FakeMachine m;
  const std::string folder = "sys/kernel/mm/hugepages/hugepages-2048kB/";
  m.file("proc/meminfo", "Hugepagesize:       2048 kB")
      .file("proc/mounts", "hugetlbfs /dev/hugepages hugetlbfs rw 0 0");
  m.file(folder + "nr_hugepages", "40").file(folder + "free_hugepages", "32");
  const Finding good = only(check::hugepages(m.machine(), dpdk()));
  EXPECT_EQ(good.verdict, Verdict::good);
  EXPECT_EQ(good.found, "64 MB of 80 MB free, mounted at /dev/hugepages");
  m.file(folder + "free_hugepages", "30");
  const Finding bad = only(check::hugepages(m.machine(), dpdk()));
  EXPECT_EQ(bad.verdict, Verdict::problem);
  EXPECT_EQ(bad.remedy, "sysctl -w vm.nr_hugepages=42");  // what others hold stays theirs
}

TEST(Hugepages, AreOnlyAdviceWhereTheConfigurationGoesWithout) {
  FakeMachine m;
  Wanted w = dpdk();
  w.hugepages = false;
  EXPECT_EQ(only(check::hugepages(m.machine(), w)).verdict, Verdict::advice);
  EXPECT_EQ(only(check::hugepages(m.machine(), sockets())).verdict, Verdict::good);
}

TEST(TransparentHugepages, AreToBeHadForTheAsking) {
  FakeMachine m;
  const std::string file = "sys/kernel/mm/transparent_hugepage/enabled";
  for (const char* good : {"always [madvise] never", "[always] madvise never"})
    EXPECT_EQ(only(check::transparent_hugepages(m.file(file, good).machine(), Wanted())).verdict, Verdict::good);
  EXPECT_EQ(only(check::transparent_hugepages(m.file(file, "always madvise [never]").machine(), Wanted())).verdict,
            Verdict::advice);
}

TEST(Cores, AreOneMoreThanWorkersThatPoll) {
  FakeMachine m;
  m.file("sys/devices/system/cpu/online", "0-3");
  EXPECT_EQ(only(check::cores(m.machine(), dpdk(3))).verdict, Verdict::good);
  EXPECT_EQ(only(check::cores(m.machine(), dpdk(4))).verdict, Verdict::advice);
  Wanted w = sockets();
  w.workers = 4;
  EXPECT_EQ(only(check::cores(m.machine(), w)).verdict, Verdict::good);
  w.workers = 5;
  EXPECT_EQ(only(check::cores(m.machine(), w)).verdict, Verdict::advice);
}

TEST(IsolatedCores, AreForWorkersThatPoll) {
  FakeMachine m;
  m.file("sys/devices/system/cpu/online", "0-7")
      .file("sys/devices/system/cpu/isolated", "")
      .file("sys/devices/system/cpu/nohz_full", "(null)");
  const Finding f = only(check::isolated_cores(m.machine(), dpdk()));
  EXPECT_EQ(f.verdict, Verdict::advice);
  EXPECT_THAT(f.remedy, HasSubstr("isolcpus=managed_irq,domain,6-7 nohz_full=6-7"));
  EXPECT_EQ(only(check::isolated_cores(m.machine(), sockets())).verdict, Verdict::good);
  m.file("sys/devices/system/cpu/isolated", "6-7");
  EXPECT_EQ(only(check::isolated_cores(m.machine(), dpdk())).remedy, "--set capture.cpus=6-7");  // else nobody is there
  Wanted w = dpdk();
  w.cpus = {6, 7};
  EXPECT_THAT(only(check::isolated_cores(m.machine(), w)).remedy, HasSubstr("nohz_full=6-7"));
  m.file("sys/devices/system/cpu/nohz_full", "6-7");
  EXPECT_EQ(only(check::isolated_cores(m.machine(), w)).verdict, Verdict::good);
  w.cpus = {5, 7};
  EXPECT_THAT(only(check::isolated_cores(m.machine(), w)).remedy, HasSubstr("isolcpus=managed_irq,domain,5,7"));
}

TEST(Governor, IsPerformanceOnEveryCore) {
  FakeMachine m;
  m.file("sys/devices/system/cpu/online", "0-1");
  EXPECT_EQ(only(check::governor(m.machine(), Wanted())).verdict, Verdict::good);
  m.file("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance");
  m.file("sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "performance");
  EXPECT_EQ(only(check::governor(m.machine(), Wanted())).verdict, Verdict::good);
  m.file("sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave");
  EXPECT_EQ(only(check::governor(m.machine(), Wanted())).verdict, Verdict::advice);
}

TEST(Irqbalance, KeepsAwayFromTheWorkers) {
  FakeMachine m;
  m.file("sys/devices/system/cpu/online", "0-3").file("proc/1/comm", "systemd").file("proc/net/comm", "irqbalance");
  EXPECT_EQ(only(check::irqbalance(m.machine(), dpdk())).verdict, Verdict::good);
  m.file("proc/412/comm", "irqbalance");
  EXPECT_THAT(only(check::irqbalance(m.machine(), dpdk())).remedy, HasSubstr("CPULIST=2-3"));
}

TEST(ClockSource, IsOneThatNeedsNoSystemCall) {
  FakeMachine m;
  const std::string folder = "sys/devices/system/clocksource/clocksource0/";
  EXPECT_EQ(only(check::clock_source(m.file(folder + "current_clocksource", "tsc").machine(), Wanted())).verdict,
            Verdict::good);
  m.file(folder + "current_clocksource", "hpet").file(folder + "available_clocksource", "hpet acpi_pm");
  EXPECT_THAT(only(check::clock_source(m.machine(), Wanted())).remedy, HasSubstr("command line"));
  m.file(folder + "available_clocksource", "tsc hpet acpi_pm");
  EXPECT_THAT(only(check::clock_source(m.machine(), Wanted())).remedy, HasSubstr("echo tsc"));
}

TEST(Clock, IsSynchronised) {
  FakeMachine m;
  m.calls.clock_state = ClockState{true, 1250};
  EXPECT_THAT(only(check::clock_synchronised(m.machine(), Wanted())).found, HasSubstr("1.2 ms"));
  m.calls.clock_state = ClockState{false, 16'000'000};
  EXPECT_EQ(only(check::clock_synchronised(m.machine(), Wanted())).verdict, Verdict::advice);
}

TEST(SendBuffer, HoldsABurstOfMessages) {
  FakeMachine m;
  Wanted w;
  m.file("proc/sys/net/core/wmem_default", "65536");
  EXPECT_THAT(check::send_buffer(m.machine(), w), IsEmpty());
  w.udp_export = true;
  EXPECT_THAT(only(check::send_buffer(m.machine(), w)).remedy, HasSubstr("wmem_default=212992"));
  m.file("proc/sys/net/core/wmem_default", "212992");
  EXPECT_EQ(only(check::send_buffer(m.machine(), w)).verdict, Verdict::good);
}

}  // namespace
}  // namespace probe::doctor
