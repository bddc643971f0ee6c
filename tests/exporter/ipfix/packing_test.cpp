#include "exporter/ipfix/packing.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <stdexcept>

#include "exporter/profile/profile.h"
#include "tests/exporter/samples.h"

namespace probe {
namespace {

using ipfix::Packing;

constexpr Field kOctet{0, 4, 1}, kPort{0, 7, 2}, kLabel{0, 70, 3}, kAddress{0, 8, 4}, kMac{0, 56, 6}, kCount{0, 1, 8},
    kAddress6{0, 27, 16}, kText{0, 96, kVariableLength}, kOtherText{0, 459, kVariableLength};

std::vector<std::uint8_t> octets_of(const std::vector<std::byte>& block, std::size_t from) {
  std::vector<std::uint8_t> out;
  for (std::size_t i = from; i < block.size(); ++i) out.push_back(std::to_integer<std::uint8_t>(block[i]));
  return out;
}

struct Body {
  std::vector<std::byte> octets;
  Body& number(std::uint64_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i) octets.push_back(static_cast<std::byte>(value >> (8 * i)));
    return *this;
  }
  Body& raw(std::initializer_list<std::uint8_t> values) {
    for (const std::uint8_t v : values) octets.push_back(std::byte{v});
    return *this;
  }
  Body& text(const char* at, std::size_t length) {
    return number(length, 8).number(reinterpret_cast<std::uintptr_t>(at), 8);
  }
};

struct Packed {
  Packed(const std::vector<Field>& memory, const std::vector<Field>& wire, const Body& body) : packing(memory, wire) {
    block.resize(packing.block_octets());
    size = packing.pack(body.octets.data(), block.data());
  }
  Packing packing;
  std::vector<std::byte> block;
  std::size_t size = 0;
};

TEST(Packing, TurnsNumbersAndKeepsOtherOctetsInTheirOrder) {
  const std::vector<Field> memory = {kAddress6, kCount, kAddress, kPort, kMac, kLabel, kOctet};
  const Body body = Body()
                        .raw({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
                        .number(0x0102030405060708, 8)
                        .number(0x0a000001, 4)
                        .number(0x1f90, 2)
                        .raw({0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff})
                        .raw({0x11, 0x22, 0x33})
                        .number(6, 1);
  const struct {
    Field field;
    std::vector<std::uint8_t> wire;
  } expected[] = {
      {kOctet, {6}},
      {kPort, {0x1f, 0x90}},
      {kLabel, {0x11, 0x22, 0x33}},
      {kAddress, {10, 0, 0, 1}},
      {kMac, {0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff}},
      {kCount, {1, 2, 3, 4, 5, 6, 7, 8}},
      {kAddress6, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}},
  };
  std::vector<Field> all;
  std::vector<std::uint8_t> together;
  for (const auto& e : expected) {
    const Packed p(memory, {e.field}, body);
    EXPECT_EQ(octets_of(p.block, 0), e.wire) << e.field.octets;
    EXPECT_EQ(p.size, e.wire.size());
    all.push_back(e.field);
    together.insert(together.end(), e.wire.begin(), e.wire.end());
  }
  // Shortest first, so that nearly every field begins at an odd offset.
  EXPECT_EQ(octets_of(Packed(memory, all, body).block, 0), together);
}

TEST(Packing, FollowsTheOrderOfTheWireWhateverThatOfMemory) {
  const Field second{0, 2, 8}, third{0, 152, 8};
  const Body body = Body().number(1, 8).number(2, 8).number(3, 8).number(0x0405, 2);
  const Packed p({kCount, second, third, kPort}, {third, kPort, kCount, second}, body);
  EXPECT_EQ(octets_of(p.block, 0),
            (std::vector<std::uint8_t>{0, 0, 0, 0, 0, 0, 0, 3, 4, 5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2}));
}

TEST(Packing, PutsTextsInFrontOfTheBlockAndBehindInTheMessage) {
  const char letters[300] = {};
  const Body body = Body().text(letters, 254).text(letters, 255).number(17, 1);
  const Packed p({kText, kOtherText, kOctet}, {kOctet, kOtherText, kText}, body);
  EXPECT_EQ(p.size, 1u + (255 + 3) + (254 + 1));  // RFC 7011 §7: lengths of one octet and of three
  ASSERT_EQ(p.block.size(), 33u);
  EXPECT_EQ(std::memcmp(p.block.data(), body.octets.data() + 16, 16), 0);
  EXPECT_EQ(std::memcmp(p.block.data() + 16, body.octets.data(), 16), 0);
  EXPECT_EQ(p.block[32], std::byte{17});
  const std::vector<Field> message = p.packing.message_fields(), block = p.packing.block_fields();
  ASSERT_EQ(message.size(), 3u);
  EXPECT_EQ(message[0].octets, 1);
  EXPECT_EQ(message[1], kOtherText);
  EXPECT_EQ(message[2], kText);
  EXPECT_EQ(block, (std::vector<Field>{kOtherText, kText, message[0]}));
}

TEST(Packing, HoldsForTextsAloneAndForNothing) {
  const Body body = Body().text("", 0).number(1, 1);
  const Packed texts({kText, kOctet}, {kText}, body);
  EXPECT_EQ(texts.size, 1u);
  EXPECT_EQ(texts.packing.message_fields(), std::vector<Field>{kText});
  EXPECT_EQ(texts.packing.block_fields(), std::vector<Field>{kText});
  const Packed nothing({kText, kOctet}, {}, body);
  EXPECT_EQ(nothing.size, 0u);
  EXPECT_TRUE(nothing.block.empty());
  EXPECT_TRUE(nothing.packing.message_fields().empty());
}

TEST(Packing, RefusesWhatAProfileMustNotAsk) {
  const std::vector<Field> memory = {kText, kOctet};
  const auto made = [&](std::vector<Field> wire) { return Packing(memory, wire).block_octets(); };
  EXPECT_EQ(made({kOctet, kText}), 17u);
  EXPECT_THROW(made({kPort}), std::logic_error);          // not in memory
  EXPECT_THROW(made({kText, kOctet}), std::logic_error);  // a text that is not last
}

// Against an encoder without a plan, field after field.
TEST(Packing, AgreesWithFieldAfterFieldForEveryShapeOfEveryProfile) {
  std::mt19937_64 random(3);
  RecordPools pools(samples::slots(1));
  for (const char* name : {"native", "basic"}) {
    const auto profile = make_profile(name);
    for (int round = 0; round < 500; ++round) {
      const std::size_t kind = random() % schema::kKindCount;
      Record* r = samples::make(pools, random, kind, samples::random_groups(random, kind));
      for (const RecordView& v : profile->views(*r)) {
        const auto memory = profile->layouts()[v.layout];
        const std::vector<Field> wire = profile->shape(v.layout, v.groups, false).fields;
        std::vector<std::uint8_t> expected;
        std::size_t texts = 0;
        for (const Field& f : wire) {
          std::size_t at = 0;
          for (const Field& m : memory) {
            if (m == f) break;
            at += m.octets == kVariableLength ? 16u : m.octets;
          }
          texts += f.octets == kVariableLength;
          if (f.octets == kVariableLength) continue;
          const bool number = f.octets == 1 || f.octets == 2 || f.octets == 4 || f.octets == 8;
          for (std::size_t i = 0; i < f.octets; ++i)
            expected.push_back(std::to_integer<std::uint8_t>(v.body[at + (number ? f.octets - 1 - i : i)]));
        }
        const Packing packing(memory, wire);
        std::vector<std::byte> block(packing.block_octets());
        packing.pack(v.body, block.data());
        ASSERT_EQ(octets_of(block, 16 * texts), expected) << name << ' ' << round;
      }
      pools.give(r);
    }
  }
}

}  // namespace
}  // namespace probe
