#include "probe/dpdk/eal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <stdexcept>

namespace probe::dpdk {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::size_t kMega = 1 << 20;

TEST(Eal, WithoutHugepagesSaysWhatThatCostsAndHowToGetThem) {
  const EalStart start = plan_eal({.memory = 68 * kMega}, 20 * kMega, 1);
  EXPECT_THAT(start.arguments, ElementsAre("augprobe", "--lcores=0@1", "--no-huge", "--no-shconf", "-m", "100",
                                           "--no-telemetry", "--no-pci"));
  EXPECT_FALSE(start.hugepages);
  EXPECT_THAT(start.notes,
              ElementsAre(HasSubstr("100 MB in hugepages are needed, 20 MB are free; `sysctl vm.nr_hugepages=50`")));
}

TEST(Eal, TakesHugepagesWhereThereAreEnough) {
  const EalStart start = plan_eal({.memory = 68 * kMega}, 100 * kMega, 0);
  EXPECT_THAT(start.arguments, ElementsAre("augprobe", "--lcores=0@0", "--in-memory", "--no-telemetry", "--no-pci"));
  EXPECT_TRUE(start.hugepages);
  EXPECT_FALSE(plan_eal({.hugepages = Hugepages::never}, 1000 * kMega, 0).hugepages);
}

TEST(Eal, DoesNotStartWithoutTheHugepagesThatAreRequired) {
  try {
    plan_eal({.hugepages = Hugepages::required, .memory = 68 * kMega}, 20 * kMega, 0);
    FAIL() << "it would start";
  } catch (const std::runtime_error& e) {
    EXPECT_THAT(e.what(), HasSubstr("`sysctl vm.nr_hugepages=50` makes room"));
  }
}

TEST(Eal, TouchesNoDeviceOfPciButThoseItIsToldOf) {
  const EalStart start = plan_eal({.pci = {"0000:03:00.0", "0000:03:00.1"}}, 0, 0);
  EXPECT_THAT(start.arguments, Not(Contains("--no-pci")));
  EXPECT_THAT(std::vector(start.arguments.end() - 4, start.arguments.end()),
              ElementsAre("-a", "0000:03:00.0", "-a", "0000:03:00.1"));
  EXPECT_THAT(start.notes, Contains(HasSubstr("IOMMU")));
}

TEST(Eal, ExtraArgumentsReplaceOnesOfTheSameKind) {
  const EalStart start = plan_eal({.extra = "  -l 2,3 -m64  --telemetry --log-level=lib.eal:debug"}, 0, 0);
  EXPECT_THAT(start.arguments, ElementsAre("augprobe", "--no-huge", "--no-shconf", "--no-pci", "-l", "2,3", "-m64",
                                           "--telemetry", "--log-level=lib.eal:debug"));
  EXPECT_THAT(plan_eal({.extra = "--socket-mem=512 -a 0000:01:00.0"}, 0, 5).arguments,
              ElementsAre("augprobe", "--lcores=0@5", "--no-telemetry", "--socket-mem=512", "-a", "0000:01:00.0"));
}

TEST(Eal, StartsOncePerProcessAndSaysWhatItChose) {
  const EalStart& start = start_eal({.extra = "--these-arguments-come-too-late"});
  EXPECT_TRUE(eal_started());
  EXPECT_THAT(start.arguments, Contains("--no-huge"));
  EXPECT_THAT(start.arguments, Not(Contains("--these-arguments-come-too-late")));
}

TEST(Eal, LeavesTheStartingThreadItsCpus) {
  cpu_set_t mine, of_parent;
  ASSERT_EQ(sched_getaffinity(0, sizeof mine, &mine), 0);
  ASSERT_EQ(sched_getaffinity(getppid(), sizeof of_parent, &of_parent), 0);
  EXPECT_TRUE(CPU_EQUAL(&mine, &of_parent));
}

}  // namespace
}  // namespace probe::dpdk
