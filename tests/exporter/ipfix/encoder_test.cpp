// Templates and messages, looked at octet by octet.
#include "exporter/ipfix/encoder.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "exporter/profile/profile.h"
#include "exporter/record/groups.h"
#include "tests/exporter/samples.h"
#include "tests/exporter/wire.h"

namespace probe {
namespace {

using schema::bit_of;
using schema::Group;

constexpr std::size_t kFlow = schema::find_kind("flow"), kDns = schema::find_kind("dns");
constexpr schema::Groups kLeast = bit_of(Group::identity) | bit_of(Group::ipv4) | bit_of(Group::ports) |
                                  bit_of(Group::interval, Group::flow) | bit_of(Group::reverse_counts);

struct Wire : ipfix::MessageReceiver {
  void message(Bytes octets, const ipfix::MessageInfo&) override {
    all.emplace_back(octets.begin(), octets.end());
    wire::Message m;
    ASSERT_TRUE(wire::take_apart(all.back(), m));
    if (check_sequence && m.domain != 0) {
      EXPECT_EQ(m.sequence, data) << "message " << all.size();
    }
    for (const wire::Set& s : m.sets) {
      if (s.id == 2)
        for (wire::Template& t : wire::templates_of(s)) templates.push_back(std::move(t));
      if (s.id == 3)
        for (wire::Template& t : wire::templates_of(s)) type_templates.push_back(std::move(t));
      if (s.id >= 256) data_sets.push_back(s.id);
    }
    domains.insert(m.domain);
    times.insert(m.time);
  }
  std::vector<std::vector<std::uint8_t>> all;
  std::vector<wire::Template> templates, type_templates;
  std::vector<std::uint16_t> data_sets;
  std::set<std::uint32_t> domains, times;
  std::uint32_t data = 0;  // sequence number expected next
  bool check_sequence = true;
};

struct Bench {
  explicit Bench(std::size_t message_octets = 1420) {
    ipfix::EncoderOptions o;
    o.enterprise = 4321;
    o.domain = 77;
    o.message_octets = message_octets;
    encoder = std::make_unique<ipfix::Encoder>(o, *profile, wire);
  }
  std::size_t put(std::size_t kind, schema::Groups groups) {  // data records
    Record* r = samples::make(pools, random, kind, groups);
    const auto views = profile->views(*r);
    encoder->append(views);
    pools.give(r);
    return views.size();
  }
  // The same, in a message of its own.
  void send(std::size_t kind, schema::Groups groups) {
    const std::size_t records = put(kind, groups);
    encoder->flush();
    wire.data += static_cast<std::uint32_t>(records);
  }
  std::mt19937_64 random{1};
  RecordPools pools{samples::slots(1)};
  std::unique_ptr<Profile> profile = make_profile("native");
  Wire wire;
  std::unique_ptr<ipfix::Encoder> encoder;
};

// Rules of the field order, with the numbers of the wire.
int rank(const Field& f) {
  if (f.octets == kVariableLength) return f.pen == 0 ? 5 : 6;
  if (f.pen == schema::kReversePen) return f.id == 1 || f.id == 2 ? 3 : 0;
  if (f.pen == 0) return f.id == 1 || f.id == 2 ? 2 : 1;
  return 4;
}

TEST(Encoder, PutsReverseElementsFirstAndTextsLast) {
  Bench b;
  b.send(kFlow, schema::kAllGroups - bit_of(Group::ipv6, Group::icmpv4, Group::icmpv6));
  ASSERT_FALSE(b.wire.templates.empty());
  for (const auto& t : b.wire.templates)
    for (std::size_t i = 1; i < t.fields.size(); ++i) EXPECT_LE(rank(t.fields[i - 1]), rank(t.fields[i])) << i;
  EXPECT_EQ(rank(b.wire.templates[0].fields.front()), 0);
  EXPECT_GE(rank(b.wire.templates[0].fields.back()), 5);
}

TEST(Encoder, PutsMoreThanSixtyFieldsIntoContinuationsThatSayWhatTheyContinue) {
  Bench b;
  const schema::Groups all = schema::kAllGroups - bit_of(Group::ipv6, Group::icmpv4, Group::icmpv6);
  for (int n = 0; n < 3; ++n) b.send(kFlow, all);
  const std::size_t parts = parts_of(kFlow).size();
  ASSERT_GT(parts, 1u);
  ASSERT_EQ(b.wire.templates.size(), parts);
  EXPECT_EQ(b.wire.data_sets.size(), 3 * parts);
  EXPECT_EQ(b.encoder->groups_left_out(), 0u);

  std::map<std::pair<std::uint32_t, std::uint16_t>, std::size_t> times;
  for (const auto& t : b.wire.templates) {
    EXPECT_LE(t.fields.size(), 60u);
    for (const Field& f : t.fields) ++times[{f.pen, f.id}];
  }
  for (const std::uint16_t key : {4, 7, 8, 11, 12, 148, 152, 153, 154, 155}) EXPECT_EQ((times[{0, key}]), parts) << key;
  for (const std::uint16_t count : {1, 2, 136}) EXPECT_EQ((times[{0, count}]), 1u) << count;  // never counted twice
}

TEST(Encoder, GivesIdsFrom256UpAndKeepsThem) {
  Bench b;
  const schema::Groups sets[] = {kLeast, kLeast | bit_of(Group::tcp), kLeast | bit_of(Group::vlan)};
  for (int round = 0; round < 3; ++round)
    for (const schema::Groups g : sets) b.send(kFlow, g);
  ASSERT_EQ(b.wire.templates.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(b.wire.templates[i].id, 256 + i);
  EXPECT_EQ(b.wire.data_sets, (std::vector<std::uint16_t>{256, 257, 258, 256, 257, 258, 256, 257, 258}));
  b.encoder->templates();
  ASSERT_EQ(b.wire.templates.size(), 6u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(b.wire.templates[3 + i].id, b.wire.templates[i].id);
    EXPECT_EQ(b.wire.templates[3 + i].fields, b.wire.templates[i].fields);
  }
}

TEST(Encoder, WhatWasNotMeasuredIsNotOnTheWire) {
  Bench b;
  b.send(kFlow, kLeast);
  const auto has = [&](std::uint32_t pen, std::uint16_t id) {
    for (const Field& f : b.wire.templates[0].fields)
      if (f.pen == pen && f.id == id) return true;
    return false;
  };
  EXPECT_TRUE(has(0, 8) && has(0, 152) && has(0, 153) && has(0, 1) && has(0, 2) && has(0, 136) && has(0, 239));
  EXPECT_TRUE(has(schema::kReversePen, 1) && has(schema::kReversePen, 2));
  EXPECT_FALSE(has(0, 27) || has(0, 6) || has(0, 58) || has(4321, 1002));
  EXPECT_FALSE(has(schema::kReversePen, 152));
}

TEST(Encoder, WritesTheWidthsThatCollectorsNeed) {
  Bench b;
  b.send(kFlow, kLeast | bit_of(Group::tcp) | bit_of(Group::reverse_tcp) | bit_of(Group::reverse_times));
  std::map<std::pair<std::uint32_t, std::uint16_t>, std::uint16_t> widths;
  for (const Field& f : b.wire.templates[0].fields) widths[{f.pen, f.id}] = f.octets;
  EXPECT_EQ((widths[{0, 6}]), 1);  // nfacctd reads no other
  EXPECT_EQ((widths[{schema::kReversePen, 6}]), 1);
  EXPECT_EQ((widths[{0, 1}]), 8);
  EXPECT_EQ((widths[{0, 2}]), 8);
  EXPECT_EQ((widths.count({schema::kReversePen, 152})), 0u);  // a biflow has one pair of times
}

TEST(Encoder, TellsAKindEvenByARecordThatHoldsNothingOfItsOwn) {
  Bench b;
  b.send(kDns, bit_of(Group::identity) | bit_of(Group::ipv4) | bit_of(Group::transaction));
  bool marked = false;
  for (const Field& f : b.wire.templates[0].fields) marked = marked || (f.pen == 4321 && f.id == 1300);
  EXPECT_TRUE(marked);
}

TEST(Encoder, SendsTypeRecordsInDomainZero) {
  Bench b;
  b.encoder->types();
  EXPECT_EQ(b.wire.domains, std::set<std::uint32_t>{0});
  ASSERT_EQ(b.wire.type_templates.size(), 1u);
  EXPECT_GT(b.wire.all.size(), 1u);
  for (const auto& m : b.wire.all) EXPECT_LE(m.size(), 1420u);
}

TEST(Encoder, TakesTheTimeThatItIsTold) {
  Bench b;
  b.encoder->set_time(1'600'000'000);
  b.send(kFlow, kLeast);
  b.encoder->templates();
  EXPECT_EQ(b.wire.times, std::set<std::uint32_t>{1'600'000'000});
}

TEST(Encoder, FillsMessagesButNotBeyondTheirSize) {
  Bench b;
  b.wire.check_sequence = false;
  while (b.wire.all.size() < 20) b.put(kFlow, kLeast);
  std::set<std::size_t> sizes;
  for (std::size_t i = 1; i + 1 < b.wire.all.size(); ++i) sizes.insert(b.wire.all[i].size());
  EXPECT_EQ(sizes.size(), 1u);
  EXPECT_LE(*sizes.begin(), 1420u);
  EXPECT_GT(*sizes.begin(), 1250u);
}

TEST(Groups, ArePartsThatFitWhateverIsThere) {
  for (std::size_t kind = 0; kind < schema::kKindCount; ++kind) {
    const schema::Groups never = bit_of(Group::ipv6, Group::icmpv4, Group::icmpv6, Group::reverse_times);
    const schema::Groups all = schema::kKinds[kind].groups - never;
    schema::Groups together;
    for (const schema::Groups& part : parts_of(kind)) {
      EXPECT_LE(count_fields(kind, part & all), 60u);
      EXPECT_FALSE((together & (part - kKey)).any());
      together |= part;
    }
    EXPECT_TRUE(together.contains(all));
    if (kind != kFlow) {
      EXPECT_EQ(parts_of(kind).size(), 1u) << "the key has no transactionId";
    }
  }
}

}  // namespace
}  // namespace probe
