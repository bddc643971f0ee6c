#include "probe/io/link_types.h"

#include <gtest/gtest.h>

namespace probe::io {
namespace {

TEST(LinkTypes, KnowsWhatTheDecoderReads) {
  EXPECT_EQ(link_type_of(1), LinkType::ethernet);
  for (const std::uint32_t raw : {12u, 14u, 101u, 228u, 229u}) EXPECT_EQ(link_type_of(raw), LinkType::raw_ip) << raw;
  EXPECT_EQ(link_type_of(113), LinkType::linux_cooked_v1);
  EXPECT_EQ(link_type_of(276), LinkType::linux_cooked_v2);
  EXPECT_EQ(link_type_of(0), LinkType::bsd_null);
  EXPECT_EQ(link_type_of(108), LinkType::bsd_loop);
  EXPECT_EQ(link_type_of(9), LinkType::ppp);
  EXPECT_EQ(link_type_of(50), LinkType::ppp);
}

TEST(LinkTypes, CallsAllOthersUnknown) {
  for (const std::uint32_t other : {2u, 105u, 127u, 147u, 65535u, 0xffffffffu}) {
    EXPECT_EQ(link_type_of(other), LinkType::unknown) << other;
  }
}

}  // namespace
}  // namespace probe::io
