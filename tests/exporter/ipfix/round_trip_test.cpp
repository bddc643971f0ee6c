// What the encoder writes, the reader gives back.
#include <gtest/gtest.h>

#include "exporter/ipfix/encoder.h"
#include "exporter/ipfix/reader.h"
#include "exporter/profile/profile.h"
#include "tests/exporter/samples.h"

namespace probe {
namespace {

using samples::Values;

struct Messages : ipfix::MessageReceiver {
  void message(Bytes octets, const ipfix::MessageInfo& info) override {
    all.emplace_back(octets.begin(), octets.end());
    records += info.records;
  }
  std::vector<std::vector<std::uint8_t>> all;
  std::uint64_t records = 0;
};

struct Arrivals : ipfix::RecordReceiver {
  void record(const Record& r) override { all.push_back({r.kind(), samples::values_of(r)}); }
  std::vector<std::pair<std::size_t, Values>> all;
};

struct Sent {
  Messages messages;
  std::vector<std::pair<std::size_t, Values>> expected;
};

Sent send(std::size_t count, std::uint64_t seed, const ipfix::EncoderOptions& options, std::size_t group_sets) {
  Sent out;
  RecordPools pools(samples::slots(1));
  std::mt19937_64 random(seed);
  const auto profile = make_profile("native");
  ipfix::Encoder encoder(options, *profile, out.messages);
  encoder.types();
  std::vector<std::pair<std::size_t, schema::Groups>> sets;
  for (std::size_t i = 0; i < group_sets; ++i) {
    const std::size_t kind = random() % schema::kKindCount;
    sets.push_back({kind, samples::random_groups(random, kind)});
  }
  for (std::size_t i = 0; i < count; ++i) {
    const auto& [kind, groups] = sets[random() % sets.size()];
    Record* r = samples::make(pools, random, kind, groups);
    EXPECT_EQ(r->groups(), groups);
    out.expected.push_back({kind, samples::values_of(*r, samples::native_groups(*r))});
    encoder.append(profile->views(*r));
    pools.give(r);
    if (i % 100 == 99) encoder.templates();
  }
  encoder.flush();
  return out;
}

void read_back(const Sent& sent, std::uint32_t enterprise) {
  Arrivals arrivals;
  ipfix::Reader reader(enterprise, arrivals);
  for (const auto& m : sent.messages.all) ASSERT_EQ(reader.read(m), nullptr);
  ASSERT_EQ(arrivals.all.size(), sent.expected.size());
  for (std::size_t i = 0; i < arrivals.all.size(); ++i) {
    ASSERT_EQ(arrivals.all[i].first, sent.expected[i].first) << "kind of record " << i;
    ASSERT_EQ(arrivals.all[i].second, sent.expected[i].second) << "record " << i;
  }
  EXPECT_EQ(reader.counts().sets_without_template, 0u);
  EXPECT_EQ(reader.counts().reordered_messages, 0u);
  EXPECT_TRUE(reader.losses().empty());
  EXPECT_GT(reader.counts().options_records, 50u);
  EXPECT_EQ(reader.catalogue().ignored_fields(), 0u);
}

TEST(RoundTrip, RecordsOfAllKindsAndAnySetOfGroupsComeBackEqual) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) read_back(send(1000, seed, {}, 60), schema::kDocumentationPen);
}

// As from an exporter that sends them in another order, or that repeats itself.
TEST(RoundTrip, PartsThatDoNotFollowTheirRecordAreRecordsOfTheirOwn) {
  RecordPools pools(samples::slots(1));
  std::mt19937_64 random(11);
  const auto profile = make_profile("native");
  Messages messages;
  ipfix::Encoder encoder({}, *profile, messages);
  Record* r = samples::make(pools, random, 0, schema::kKinds[0].groups);
  const auto parts = profile->views(*r);
  ASSERT_GE(parts.size(), 2u);
  const std::vector<std::vector<std::size_t>> orders = {{1, 0}, {0, 1, 1}};
  for (const auto& order : orders)
    for (const std::size_t part : order) encoder.append(parts.subspan(part, 1));
  encoder.flush();

  Arrivals arrivals;
  ipfix::Reader reader(schema::kDocumentationPen, arrivals);
  for (const auto& m : messages.all) ASSERT_EQ(reader.read(m), nullptr);
  const auto first = samples::values_of(*r, parts[0].groups), second = samples::values_of(*r, parts[1].groups);
  auto both = first;
  both.insert(second.begin(), second.end());
  std::vector<Values> found;
  for (const auto& [kind, values] : arrivals.all) found.push_back(values);
  EXPECT_EQ(found, (std::vector<Values>{second, first, both, second}));
  pools.give(r);
}

TEST(RoundTrip, HoldsForLongMessages) {
  ipfix::EncoderOptions o;
  o.message_octets = 16 * 1024;
  read_back(send(3000, 7, o, 20), schema::kDocumentationPen);
}

TEST(RoundTrip, HoldsUnderAnotherEnterpriseNumberAndDomain) {
  ipfix::EncoderOptions o;
  o.enterprise = 4242;
  o.domain = 0xfedcba98;
  read_back(send(500, 8, o, 30), 4242);
}

TEST(RoundTrip, HoldsBeyondTheMostTemplatesWithFewerGroups) {
  Sent sent = send(1500, 9, {}, 1500);
  Arrivals arrivals;
  ipfix::Reader reader(schema::kDocumentationPen, arrivals);
  for (const auto& m : sent.messages.all) ASSERT_EQ(reader.read(m), nullptr);
  ASSERT_EQ(arrivals.all.size(), sent.expected.size());
  for (std::size_t i = 0; i < arrivals.all.size(); ++i) {
    ASSERT_EQ(arrivals.all[i].first, sent.expected[i].first);
    for (const auto& [name, value] : arrivals.all[i].second) ASSERT_EQ(sent.expected[i].second[name], value);
    ASSERT_TRUE(arrivals.all[i].second.count("flowId"));
  }
}

TEST(RoundTrip, EveryMessageIsShortUnlessItsOneRecordIsLong) {
  const Sent sent = send(2000, 10, {}, 50);
  std::size_t longer = 0;
  for (const auto& m : sent.messages.all) longer += m.size() > 1420;
  EXPECT_GT(longer, 0u);  // long texts do occur
  EXPECT_LT(longer, sent.messages.all.size() / 2);
  EXPECT_EQ(sent.messages.records, sent.expected.size());
}

TEST(RoundTrip, ALostMessageIsToldByTheSequenceNumbers) {
  Sent sent = send(400, 11, {}, 4);
  Arrivals arrivals;
  ipfix::Reader reader(schema::kDocumentationPen, arrivals);
  // Templates come again with every 100 records, and the last message is not the one that is lost.
  const std::size_t lost = sent.messages.all.size() - 6;
  for (std::size_t i = 0; i < sent.messages.all.size(); ++i)
    if (i != lost) {
      ASSERT_EQ(reader.read(sent.messages.all[i]), nullptr);
    }
  ASSERT_LT(arrivals.all.size(), sent.expected.size());
  const auto sequence_at = [&](std::size_t i) {
    Cursor c(sent.messages.all[i]);
    c.skip(8);
    return c.u32();
  };
  const std::uint64_t missing = sequence_at(lost + 1) - sequence_at(lost);  // data records, continuations too
  EXPECT_EQ(reader.losses(), (std::map<std::uint32_t, std::uint64_t>{{1, missing}}));
  EXPECT_EQ(reader.read(sent.messages.all[lost]), nullptr);  // it was only late
  EXPECT_TRUE(reader.losses().empty());
  EXPECT_EQ(reader.counts().reordered_messages, 1u);
  EXPECT_EQ(arrivals.all.size(), sent.expected.size());
}

}  // namespace
}  // namespace probe
