#include "probe/base/bytes.h"

#include <gtest/gtest.h>

#include "probe/base/sequence.h"

namespace probe {
namespace {

constexpr std::uint8_t kOctets[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09};

TEST(Cursor, ReadsNetworkByteOrder) {
  Cursor c(kOctets);
  EXPECT_EQ(c.u8(), 0x01);
  EXPECT_EQ(c.u16(), 0x0203);
  EXPECT_EQ(c.u24(), 0x040506u);
  EXPECT_EQ(c.left(), 3u);
  EXPECT_TRUE(c.ok());
}

TEST(Cursor, ReadsLittleEndian) {
  Cursor c(kOctets);
  EXPECT_EQ(c.u16_le(), 0x0201);
  EXPECT_EQ(c.u24_le(), 0x050403u);
  EXPECT_EQ(c.u32_le(), 0x09080706u);
}

TEST(Cursor, StaysNotOkAfterReadingPastTheEnd) {
  Cursor c(Bytes(kOctets).first(3));
  EXPECT_EQ(c.u32(), 0u);
  EXPECT_FALSE(c.ok());
  EXPECT_EQ(c.u8(), 0);
  EXPECT_FALSE(c.ok());
}

TEST(Cursor, SubCannotSeeBeyondItsLength) {
  Cursor c(kOctets);
  Cursor inner = c.sub(2);
  EXPECT_EQ(inner.u16(), 0x0102);
  EXPECT_EQ(inner.u8(), 0);
  EXPECT_FALSE(inner.ok());
  EXPECT_EQ(c.u8(), 0x03);
  EXPECT_TRUE(c.ok());
  EXPECT_FALSE(c.sub(100).ok());
}

TEST(Sequence, OrderSurvivesTheWrap) {
  EXPECT_TRUE(sequence_before(0xfffffff0u, 0x10u));
  EXPECT_FALSE(sequence_before(0x10u, 0xfffffff0u));
  EXPECT_TRUE(sequence_at_or_before(7, 7));
  EXPECT_EQ(sequence_distance(0xfffffff0u, 0x10u), 0x20);
}

}  // namespace
}  // namespace probe
