#include "exporter/record/record.h"

#include <gtest/gtest.h>

#include <string>

namespace probe {
namespace {

std::array<std::size_t, schema::kKindCount> slots(std::size_t n) {
  std::array<std::size_t, schema::kKindCount> out;
  out.fill(n);
  return out;
}

TEST(Record, GivesBackWhatWasSet) {
  RecordPools pools(slots(2));
  Draft<"http"> d(pools.take(schema::find_kind("http")));
  d.set<"httpRequestMethod">("GET");
  d.set<"httpStatusCode">(std::uint16_t{404});
  Record* r = d.release();
  EXPECT_EQ(r->text(place_in<"http", "httpRequestMethod">()), "GET");
  EXPECT_EQ(r->number(place_in<"http", "httpStatusCode">()), 404u);
  EXPECT_FALSE(r->has(place_in<"http", "httpReferer">()));
  pools.give(r);
}

TEST(Record, CutsATextAtItsLimit) {
  RecordPools pools(slots(1));
  Draft<"http"> d(pools.take(schema::find_kind("http")));
  d.set<"httpRequestTarget">(std::string(5000, 'x'));
  d.set<"httpReferer">("y");
  EXPECT_EQ(d.text<"httpRequestTarget">().size(), 1024u);
  EXPECT_EQ(d.text<"httpReferer">(), "y");
}

TEST(Record, SettingATextAgainNeverWritesBeyondItsSlot) {
  RecordPools pools(slots(1));
  Draft<"http"> d(pools.take(schema::find_kind("http")));
  for (int i = 0; i < 100; ++i) d.set<"httpRequestTarget">(std::string(1024, 'x'));
  EXPECT_EQ(d.text<"httpRequestTarget">().front(), 'x');
}

TEST(Draft, WithoutMemorySwallowsWhatItIsTold) {
  RecordPools pools(slots(0));
  Draft<"dns"> d(pools.take(schema::find_kind("dns")));
  d.set<"dnsQueryName">("example.org");
  EXPECT_FALSE(d);
  EXPECT_EQ(d.release(), nullptr);
}

TEST(Draft, GivesItsMemoryBackWhenDropped) {
  RecordPools pools(slots(1));
  const std::size_t dns = schema::find_kind("dns");
  { Draft<"dns"> d(pools.take(dns)); }
  EXPECT_EQ(pools.in_use(dns), 0u);
  EXPECT_NE(pools.take(dns), nullptr);
}

TEST(Groups, AGroupOfNumbersIsThereOnlyWhenWhole) {
  RecordPools pools(slots(1));
  Draft<"flow"> d(pools.take(schema::find_kind("flow")));
  d.set<"tcpServerRttMinMicroseconds">(std::uint32_t{1});
  Record* r = d.release();
  EXPECT_FALSE(schema::has(r->groups(), schema::Group::server_rtt));
  set_in<"tcpServerRttMeanMicroseconds">(*r, std::uint32_t{1});
  set_in<"tcpServerRttMaxMicroseconds">(*r, std::uint32_t{1});
  set_in<"tcpServerRttStdDevMicroseconds">(*r, std::uint32_t{0});
  set_in<"tcpServerRttCount">(*r, std::uint32_t{1});
  EXPECT_TRUE(schema::has(r->groups(), schema::Group::server_rtt));
  pools.give(r);
}

TEST(Groups, AGroupOfTextsIsThereWhenAnyIs) {
  RecordPools pools(slots(1));
  Draft<"http"> d(pools.take(schema::find_kind("http")));
  d.set<"httpRequestHost">("");
  Record* r = d.release();
  EXPECT_FALSE(r->groups().any());
  set_in<"httpRequestHost">(*r, std::string_view("a"));
  EXPECT_EQ(r->groups(), schema::bit_of(schema::Group::http_request));
  pools.give(r);
}

TEST(Ntp, ComesBackToTheMicrosecond) {
  for (const Nanos t : {Nanos{0}, Nanos{1}, Nanos{999'999'000}, 1'700'000'000 * kSecond + 123'456'789,
                        2'147'483'647 * kSecond, 4'000'000'000 * kSecond + 999'999'999})
    EXPECT_EQ(nanos_of_ntp(ntp_of(t)), t / kMicrosecond * kMicrosecond);
}

TEST(Schema, AReverseTwinHasTheNameOfRfc5103) {
  const auto& e = schema::kElements[schema::find_element("reverseOctetDeltaCount")];
  EXPECT_EQ(e.pen, schema::kReversePen);
  EXPECT_EQ(e.id, 1);
  const auto& own = schema::kElements[schema::find_element("reverseTcpRetransmittedPacketCount")];
  EXPECT_EQ(own.id, 1007 | 0x4000);
}

// RFC 5103 has no reverse of a reverse, and Wireshark takes no more than 60 fields: a flow over plain Ethernet with one
// VLAN tag and everything measured must fit.
TEST(Schema, AFullTcpFlowOnAVlanFitsIntoOneTemplate) {
  using enum schema::Group;
  std::size_t fields = 0;
  for (const auto& e : schema::kElements)
    for (const schema::Group g : {identity,
                                  ipv4,
                                  ports,
                                  flow,
                                  reverse_counts,
                                  ip,
                                  reverse_ip,
                                  tcp,
                                  reverse_tcp,
                                  server_handshake,
                                  client_handshake,
                                  server_rtt,
                                  client_rtt,
                                  tcp_quality,
                                  reverse_tcp_quality,
                                  tcp_acknowledged,
                                  reverse_tcp_acknowledged,
                                  tcp_segment_size,
                                  reverse_tcp_segment_size,
                                  tcp_window,
                                  reverse_tcp_window,
                                  application,
                                  flow_response,
                                  vlan,
                                  mac})
      fields += e.group == g;
  EXPECT_LE(fields, schema::kMostFields);
}

}  // namespace
}  // namespace probe
