#include "probe/live/link_info.h"

#include <net/if_arp.h>

#include "tests/probe/live/small_world.h"

namespace probe::live {
namespace {

class Links : public SmallWorld {};

TEST_F(Links, AreToldAsTheyAre) {
  LinkReader reader;
  shell("ip link set wire1 mtu 9000");
  const auto link = reader.read("wire1");
  ASSERT_TRUE(link.has_value());
  EXPECT_EQ(link->index, static_cast<int>(if_nametoindex("wire1")));
  EXPECT_EQ(link->hardware, ARPHRD_ETHER);
  EXPECT_EQ(link->mtu, 9000u);
  EXPECT_EQ(link->kind, "veth");
  EXPECT_EQ(link->peer, "wire0");
  EXPECT_TRUE(link->on && link->up);
  shell("ip link set wire0 down");
  EXPECT_TRUE(reader.read("wire1")->on);
  EXPECT_FALSE(reader.read("wire1")->up) << "no carrier";
  EXPECT_EQ(reader.read("lo")->hardware, ARPHRD_LOOPBACK);
  EXPECT_EQ(reader.read("lo")->kind, "");
}

TEST_F(Links, ThatAreNotThereAreNotTold) {
  LinkReader reader;
  EXPECT_FALSE(reader.read("eth9").has_value());
  EXPECT_FALSE(reader.read("").has_value());
  EXPECT_FALSE(reader.read("a_name_that_no_interface_can_have").has_value());
  EXPECT_TRUE(reader.read("wire0").has_value());
  for (const char* name : {"wire0", "wire1", "lo", ", "})
    EXPECT_NE(interface_list().find(name), std::string::npos) << interface_list();
}

}  // namespace
}  // namespace probe::live
