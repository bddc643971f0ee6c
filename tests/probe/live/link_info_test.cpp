#include "probe/live/link_info.h"

#include <net/if_arp.h>

#include "tests/probe/live/small_world.h"

namespace probe::live {
namespace {

class Links : public SmallWorld {
 protected:
  void SetUp() override {
    SmallWorld::SetUp();
    if (IsSkipped()) return;
    shell("ip link add pair0 type veth peer name pair1 && ip link set pair0 up && ip link set pair1 up");
  }
};

TEST_F(Links, AreToldAsTheyAre) {
  LinkReader reader;
  shell("ip link set pair1 mtu 9000");
  const auto link = reader.read("pair1");
  ASSERT_TRUE(link.has_value());
  EXPECT_EQ(link->index, static_cast<int>(if_nametoindex("pair1")));
  EXPECT_EQ(link->hardware, ARPHRD_ETHER);
  EXPECT_EQ(link->mtu, 9000u);
  EXPECT_EQ(link->kind, "veth");
  EXPECT_EQ(link->peer, "pair0");
  EXPECT_TRUE(link->on && link->up);
  shell("ip link set pair0 down");
  EXPECT_TRUE(reader.read("pair1")->on);
  EXPECT_FALSE(reader.read("pair1")->up) << "no carrier";
  EXPECT_EQ(reader.read("lo")->hardware, ARPHRD_LOOPBACK);
  EXPECT_EQ(reader.read("lo")->kind, "");
}

TEST_F(Links, ThatAreNotThereAreNotTold) {
  LinkReader reader;
  EXPECT_FALSE(reader.read("eth9").has_value());
  EXPECT_FALSE(reader.read("").has_value());
  EXPECT_FALSE(reader.read("a_name_that_no_interface_can_have").has_value());
  EXPECT_TRUE(reader.read("pair0").has_value());
  for (const char* name : {"pair0", "pair1", "lo", ", "})
    EXPECT_NE(interface_list().find(name), std::string::npos) << interface_list();
}

}  // namespace
}  // namespace probe::live
