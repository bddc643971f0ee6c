// The basic profile, read back from the wire.
#include <gtest/gtest.h>

#include <set>

#include "exporter/ipfix/encoder.h"
#include "exporter/ipfix/reader.h"
#include "exporter/profile/profile.h"
#include "tests/exporter/samples.h"
#include "tests/exporter/wire.h"

namespace probe {
namespace {

using samples::Values;
using schema::bit_of;
using schema::Group;

constexpr std::size_t kFlow = schema::find_kind("flow");
constexpr schema::Groups kTcp = bit_of(Group::identity) | bit_of(Group::ipv4) | bit_of(Group::ports) |
                                bit_of(Group::interval, Group::flow) | bit_of(Group::reverse_counts) |
                                bit_of(Group::ip) | bit_of(Group::reverse_ip) | bit_of(Group::tcp) |
                                bit_of(Group::reverse_tcp) | bit_of(Group::server_rtt) | bit_of(Group::application) |
                                bit_of(Group::vlan) | bit_of(Group::mac) | bit_of(Group::reverse_times);

std::string reverse_name(std::string name) {
  name[0] = static_cast<char>(name[0] - 'a' + 'A');
  return "reverse" + name;
}

struct Basic : testing::Test, ipfix::MessageReceiver, ipfix::RecordReceiver {
  void message(Bytes octets, const ipfix::MessageInfo& info) override {
    EXPECT_EQ(reader.read(octets), nullptr);
    wire::Message m;
    ASSERT_TRUE(wire::take_apart(octets, m));
    for (const wire::Set& s : m.sets) {
      if (s.id != 2) continue;
      for (const wire::Template& t : wire::templates_of(s)) templates.push_back(t);
    }
    records += info.records;
  }
  void record(const Record& r) override { rows.push_back(samples::values_of(r)); }

  Record* make(schema::Groups groups) { return samples::make(pools, random, kFlow, groups); }
  void send(Record* r) {
    encoder.append(profile->views(*r));
    encoder.flush();
    pools.give(r);
  }

  std::mt19937_64 random{5};
  RecordPools pools{samples::slots(1)};
  std::unique_ptr<Profile> profile = make_profile("basic");
  ipfix::Reader reader{schema::kDocumentationPen, *this};
  ipfix::Encoder encoder{{}, *profile, *this};
  std::vector<Values> rows;
  std::vector<wire::Template> templates;
  std::uint64_t records = 0;
};

TEST_F(Basic, MakesTwoUniflowsOfABiflow) {
  Record* r = make(kTcp);
  set_in<"reversePacketDeltaCount">(*r, std::uint64_t{5});
  set_in<"packetDeltaCount">(*r, std::uint64_t{7});
  set_in<"biflowDirection">(*r, std::uint8_t{1});
  Values all = samples::values_of(*r);
  send(r);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(records, 1u);
  Values &there = rows[0], &back = rows[1];
  const auto both = [&](const char* forward, const char* reverse) {
    EXPECT_EQ(there[forward], all[forward]) << forward;
    EXPECT_EQ(back[forward], all[reverse]) << forward;
  };
  both("sourceIPv4Address", "destinationIPv4Address");
  both("destinationIPv4Address", "sourceIPv4Address");
  both("sourceTransportPort", "destinationTransportPort");
  both("destinationTransportPort", "sourceTransportPort");
  both("sourceMacAddress", "destinationMacAddress");
  both("destinationMacAddress", "sourceMacAddress");
  both("octetDeltaCount", "reverseOctetDeltaCount");
  both("packetDeltaCount", "reversePacketDeltaCount");
  both("flowStartMilliseconds", "reverseFlowStartMilliseconds");
  both("flowEndMilliseconds", "reverseFlowEndMilliseconds");
  both("tcpControlBits", "reverseTcpControlBits");
  both("minimumTTL", "reverseMinimumTTL");
  both("flowId", "flowId");
  both("protocolIdentifier", "protocolIdentifier");
  both("vlanId", "vlanId");
  both("flowEndReason", "flowEndReason");
  EXPECT_EQ(there["biflowDirection"], "1");
  EXPECT_EQ(back["biflowDirection"], "2");
}

TEST_F(Basic, HasOnlyTheElementsThatEveryCollectorKnows) {
  for (int i = 0; i < 200; ++i) {
    Record* r = make(samples::random_groups(random, kFlow));
    set_in<"reversePacketDeltaCount">(*r, std::uint64_t{random() % 2});
    const Values all = samples::values_of(*r);
    rows.clear();
    send(r);
    // Nothing is made up: what comes back, the record has under this name or that of the other direction.
    for (const Values& row : rows)
      for (const auto& [name, value] : row)
        EXPECT_TRUE(all.count(name) != 0 || all.count(reverse_name(name)) != 0) << name;
  }
  // And samplingProbability (311), which is there only if the probe samples: who does not know it skips 8 octets.
  const std::set<std::uint16_t> known = {152, 153, 1,  2,  8,  12, 27,  28,  7,   11, 4,   6,  5,
                                         60,  52,  53, 58, 56, 80, 136, 239, 148, 32, 139, 311};
  ASSERT_GT(templates.size(), 10u);
  for (const wire::Template& t : templates)
    for (std::size_t i = 0; i < t.fields.size(); ++i) {
      EXPECT_EQ(t.fields[i].pen, 0u);
      EXPECT_TRUE(known.count(t.fields[i].id)) << t.fields[i].id;
      EXPECT_NE(t.fields[i].octets, kVariableLength);
      if (i < 4) {
        EXPECT_EQ(t.fields[i].id, (std::array<std::uint16_t, 4>{152, 153, 1, 2})[i]);
      }
      if (t.fields[i].id == 6) {
        EXPECT_EQ(t.fields[i].octets, 1);
      }
    }
  std::set<std::vector<std::uint64_t>> different;
  for (const wire::Template& t : templates) {
    std::vector<std::uint64_t> content;
    for (const Field& f : t.fields) content.push_back(std::uint64_t{f.id} << 16 | f.octets);
    different.insert(content);
  }
  EXPECT_LE(templates.size(), 2 * different.size());  // one for each side at most
}

TEST_F(Basic, SendsNothingForADirectionWithoutPackets) {
  Record* r = make(kTcp);
  set_in<"reversePacketDeltaCount">(*r, std::uint64_t{0});
  const Values one_way = samples::values_of(*r);
  send(r);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0]["sourceIPv4Address"], one_way.at("sourceIPv4Address"));
  r = make(kTcp);
  set_in<"packetDeltaCount">(*r, std::uint64_t{0});
  set_in<"reversePacketDeltaCount">(*r, std::uint64_t{3});
  const Values other_way = samples::values_of(*r);
  send(r);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1]["sourceIPv4Address"], other_way.at("destinationIPv4Address"));
}

TEST_F(Basic, GivesTheResponderTheFlowsTimesIfItsOwnAreNotKnown) {
  Record* r = make(kTcp - bit_of(Group::reverse_times));
  set_in<"reversePacketDeltaCount">(*r, std::uint64_t{3});
  send(r);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1]["flowStartMilliseconds"], rows[0]["flowStartMilliseconds"]);
  EXPECT_EQ(rows[1]["flowEndMilliseconds"], rows[0]["flowEndMilliseconds"]);
}

TEST_F(Basic, SaysTheIpVersion) {
  send(make(kTcp));
  send(make((kTcp - bit_of(Group::ipv4)) | bit_of(Group::ipv6)));
  for (const wire::Template& t : templates)
    EXPECT_TRUE(std::any_of(t.fields.begin(), t.fields.end(), [](const Field& f) { return f.id == 60; }));
  EXPECT_EQ(rows.back().count("sourceIPv6Address"), 1u);
}

TEST_F(Basic, DoesNotCarryTransactions) {
  RecordPools more(samples::slots(1));
  for (std::size_t kind = 0; kind < schema::kKindCount; ++kind) {
    Record* r = samples::make(more, random, kind, samples::random_groups(random, kind));
    EXPECT_EQ(profile->views(*r).empty(), kind != kFlow);
    more.give(r);
  }
}

}  // namespace
}  // namespace probe
