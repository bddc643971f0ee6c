// EAL starts once per process: all tests of this binary share it, and each plugs in the ports that it needs.
#include <gtest/gtest.h>

#include "probe/dpdk/eal.h"

namespace probe::dpdk {
namespace {

class StartedEal : public testing::Environment {
 public:
  void SetUp() override {
    start_eal({.hugepages = Hugepages::never, .memory = 160 << 20, .log = [](std::string_view) {}});
  }
};

const auto* const kEnvironment = testing::AddGlobalTestEnvironment(new StartedEal);

}  // namespace
}  // namespace probe::dpdk
