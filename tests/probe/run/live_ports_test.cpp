#include "probe/run/live_ports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/probe/run/live_kit.h"

namespace probe::run {
namespace {

using namespace probe::test;
using testing::AllOf;
using testing::HasSubstr;

std::string refusal(const Options& o) {
  try {
    open_ports(o);
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "";
}

TEST(LivePorts, AllThatCannotBeOpenedAreNamedAtOnce) {
  Options o = small_options();
  o.capture_ports = {"socket:nowhere1", "socket:nowhere2"};
  EXPECT_THAT(refusal(o), AllOf(HasSubstr("socket:nowhere1: There is no interface nowhere1; there are: "),
                                HasSubstr("socket:nowhere2: There is no interface nowhere2")));
}

TEST(LivePorts, MemoryIsThatOfTheRingsOfAllQueues) {
  Options o = small_options();
  o.capture_ports = {"socket:a", "socket:b"};
  o.capture_workers = 3;
  EXPECT_EQ(port_memory(o).sockets, 2 * 3 * o.capture_ring_memory);
  EXPECT_EQ(port_memory(o).dpdk, 0u);
  o.capture_queues = 1;
  EXPECT_EQ(port_memory(o).sockets, 2 * o.capture_ring_memory);
}

TEST(LivePorts, MemoryOfDpdkGrowsWithDescriptorsAndFrames) {
  Options o = small_options();
  o.capture_ports = {"dpdk:0000:03:00.0"};
  const std::size_t usual = port_memory(o).dpdk;
  EXPECT_GT(usual, o.dpdk_descriptors * 2048);
  o.dpdk_descriptors *= 2;
  const std::size_t more = port_memory(o).dpdk;
  EXPECT_GT(more, usual + usual / 4);
  o.dpdk_mtu = 9000;
  EXPECT_GT(port_memory(o).dpdk, 3 * more);
}

TEST(LiveProbe, WantsACpuForEachThread) {
  Options o = small_options();
  o.capture_workers = 2;
  o.capture_cpus = "0-1";
  LivePorts ports = one_port(std::make_unique<FakePort>(std::vector<Frames>(2)));
  ports.queues_agree = false;
  EXPECT_THROW(LiveProbe(o, std::move(ports)), std::runtime_error) << "the dispatcher has none";
}

TEST(LiveProbe, EndsWithTheReasonIfAWorkerMayNotRunOnItsCpu) {
  Options o = small_options();
  o.capture_cpus = "1000";
  LiveProbe probe(o, one_port(std::make_unique<FakePort>(std::vector<Frames>(1))));
  probe.start();
  EXPECT_TRUE(eventually([&] { return !probe.trouble().empty(); }));
  EXPECT_THAT(probe.trouble(), HasSubstr("the worker 0 ended: it may not run on CPU 1000 (capture.cpus)"));
  probe.stop();
}

}  // namespace
}  // namespace probe::run
