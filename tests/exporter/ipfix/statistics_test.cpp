// RFC 7011 §4, octet by octet, and as our reader understands it.
#include "exporter/ipfix/statistics.h"

#include <gtest/gtest.h>

#include "exporter/ipfix/reader.h"
#include "exporter/profile/profile.h"
#include "tests/exporter/samples.h"
#include "tests/exporter/wire.h"

namespace probe {
namespace {

using ipfix::ProcessStatistics;

struct Messages : ipfix::MessageReceiver {
  void message(Bytes octets, const ipfix::MessageInfo& info) override {
    all.emplace_back(octets.begin(), octets.end());
    EXPECT_TRUE(octets.size() < 20 || wire::take_apart(all.back(), last));
    tallied += info.data_records;
  }
  std::vector<std::vector<std::uint8_t>> all;
  wire::Message last;
  std::uint32_t tallied = 0;
};
struct Nobody : ipfix::RecordReceiver {
  void record(const Record&) override {}
};

ProcessStatistics some() {
  ProcessStatistics s;
  s.process = 4711;
  s.flows = 21;
  s.packets = 0x1'0000'0002;
  s.messages = 4;
  s.records = 33;
  s.octets = 5000;
  return s;
}
std::vector<std::uint64_t> values(Bytes record, const std::vector<Field>& fields) {
  std::vector<std::uint64_t> out;
  Cursor c(record);
  for (const Field& f : fields) out.push_back(f.octets == 4 ? c.u32() : c.u64());
  EXPECT_TRUE(c.ok() && c.left() == 0);
  return out;
}
std::vector<std::uint16_t> ids(const wire::Template& t) {
  std::vector<std::uint16_t> out;
  for (const Field& f : t.fields) {
    EXPECT_EQ(f.pen, schema::kIana);
    out.push_back(f.id);
  }
  return out;
}

TEST(Statistics, AreThreeOptionsRecordsInDomainZero) {
  Messages m;
  std::uint32_t sequence = 40;
  ipfix::EncoderOptions o;
  o.domain = 9;
  ipfix::write_statistics(o, 1'760'000'000, some(), true, sequence, m);
  ASSERT_EQ(m.all.size(), 1u);
  EXPECT_EQ(sequence, 43u);
  EXPECT_EQ(m.tallied, 0u);  // they are no flow records
  EXPECT_EQ(m.last.domain, 0u);
  EXPECT_EQ(m.last.sequence, 40u);
  EXPECT_EQ(m.last.time, 1'760'000'000u);
  EXPECT_LE(m.all[0].size(), 512u);  // the least that a UDP target may be told to send
  ASSERT_EQ(m.last.sets.size(), 4u);
  ASSERT_EQ(m.last.sets[0].id, 3);
  const auto templates = wire::templates_of(m.last.sets[0]);
  ASSERT_EQ(templates.size(), 5u);

  // §4.1 with scope, §4.2 and §4.3; the last two with times and without.
  using Ids = std::vector<std::uint16_t>;
  EXPECT_EQ(ids(templates[0]), (Ids{149, 143, 41, 42, 40, 163, 86}));
  EXPECT_EQ(ids(templates[1]), (Ids{149, 143, 164}));
  EXPECT_EQ(ids(templates[2]), (Ids{149, 143, 164, 323, 323}));
  EXPECT_EQ(ids(templates[3]), (Ids{144, 166}));
  EXPECT_EQ(ids(templates[4]), (Ids{144, 166, 323, 323}));
  const std::vector<std::uint16_t> scopes = {2, 2, 2, 1, 1};
  Cursor c(m.last.sets[0].octets);
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    c.skip(4);
    EXPECT_EQ(c.u16(), scopes[i]);
    c.skip(4 * templates[i].fields.size());
  }

  using Values = std::vector<std::uint64_t>;
  EXPECT_EQ(m.last.sets[1].id, templates[0].id);
  EXPECT_EQ(values(m.last.sets[1].octets, templates[0].fields), (Values{9, 4711, 4, 33, 5000, 21, 0x1'0000'0002}));
  EXPECT_EQ(m.last.sets[2].id, templates[1].id);
  EXPECT_EQ(values(m.last.sets[2].octets, templates[1].fields), (Values{9, 4711, 0}));
  EXPECT_EQ(m.last.sets[3].id, templates[3].id);
  EXPECT_EQ(values(m.last.sets[3].octets, templates[3].fields), (Values{4711, 0}));
}

TEST(Statistics, TellWhenSomethingWasLostOnlyIfItWas) {
  Messages m;
  std::uint32_t sequence = 0;
  ProcessStatistics s = some();
  s.ignored = {7, 1'760'000'000'123, 1'760'000'060'456};
  s.not_sent = {8, 1'760'000'000'789, 1'760'000'001'000};
  ipfix::write_statistics({}, 1, s, true, sequence, m);
  const auto templates = wire::templates_of(m.last.sets[0]);
  ASSERT_EQ(m.last.sets.size(), 4u);
  EXPECT_EQ(m.last.sets[2].id, templates[2].id);
  EXPECT_EQ(values(m.last.sets[2].octets, templates[2].fields),
            (std::vector<std::uint64_t>{1, 4711, 7, 1'760'000'000'123, 1'760'000'060'456}));
  EXPECT_EQ(m.last.sets[3].id, templates[4].id);
  EXPECT_EQ(values(m.last.sets[3].octets, templates[4].fields),
            (std::vector<std::uint64_t>{4711, 8, 1'760'000'000'789, 1'760'000'001'000}));
}

TEST(Statistics, GoWithoutTheirTemplatesWhereTheyAreKnown) {
  Messages m;
  std::uint32_t sequence = 0;
  ipfix::write_statistics({}, 1, some(), true, sequence, m);
  ipfix::write_statistics({}, 1, some(), false, sequence, m);
  EXPECT_EQ(m.last.sets.size(), 3u);
  EXPECT_EQ(m.last.sequence, 3u);
}

// Types, flows and statistics of one encoder: two domains, two sequences, no gap in either.
TEST(Statistics, DisturbNoSequenceAndAreUnderstood) {
  Messages m;
  const auto profile = make_profile("native");
  ipfix::EncoderOptions o;
  o.domain = 77;
  ipfix::Encoder encoder(o, *profile, m);
  std::mt19937_64 random{1};
  RecordPools pools{samples::slots(1)};
  encoder.types();
  std::uint64_t data_records = 0;
  for (int i = 0; i < 200; ++i) {
    Record* r = samples::make(pools, random, 0, samples::random_groups(random, 0));
    const auto views = profile->views(*r);
    data_records += views.size();
    encoder.append(views);
    pools.give(r);
    if (i % 50 != 20) continue;
    ProcessStatistics s = some();
    s.packets = static_cast<std::uint64_t>(i);
    s.ignored = {i > 100 ? 5u : 0u, 1, 2};
    encoder.statistics(s, i == 20);
  }
  encoder.flush();
  EXPECT_EQ(m.tallied, data_records);

  Nobody nobody;
  ipfix::Reader reader(o.enterprise, nobody);
  EXPECT_FALSE(reader.told().any());
  for (const auto& octets : m.all) EXPECT_EQ(reader.read(octets), nullptr);
  EXPECT_TRUE(reader.losses().empty());
  EXPECT_EQ(reader.counts().records[0], 200u);
  EXPECT_EQ(reader.counts().sets_without_template, 0u);
  EXPECT_GT(reader.counts().options_records, 12u);  // and the types
  EXPECT_EQ(reader.told().packets, 170u);
  EXPECT_EQ(reader.told().packets_ignored, 5u);
  EXPECT_EQ(reader.told().flows, 21u);
  EXPECT_EQ(reader.told().records, 33u);
  EXPECT_EQ(reader.told().records_not_sent, 0u);
}

}  // namespace
}  // namespace probe
