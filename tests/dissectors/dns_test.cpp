#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dissectors/dissector.h"
#include "tests/kit/dns_builder.h"
#include "tests/kit/talk.h"

namespace probe {
extern const Dissector dns_dissector;

namespace test {
namespace {

using namespace std::string_literals;

constexpr Nanos ms(std::int64_t n) { return n * kMillisecond; }
const std::string kAddress = "\x0a\x00\x00\x01"s;

struct Dns : testing::Test {
  Talk talk{dns_dissector};
};

TEST_F(Dns, PairsAQueryWithItsAnswer) {
  const Nanos t = talk.now();
  talk.client(DnsBuilder(7, 0x0120).question("www.Example.ORG", 1).edns(1232).text());
  EXPECT_EQ(talk.records().size(), 0u);
  talk.after(ms(12)).server(DnsBuilder(7, 0x8180)
                                .question("WWW.example.org", 1)
                                .answer(pointer(12), 5, 60, labels("a.example.org"))
                                .answer(labels("a.example.org"), 1, 3600, kAddress)
                                .edns(4096)
                                .text());
  const Row& r = talk.records().only();
  EXPECT_EQ(r.kind, "dns");
  EXPECT_EQ(r.text("dnsQueryName"), "www.example.org");
  EXPECT_EQ(r.number("dnsQueryType"), 1u);
  EXPECT_EQ(r.number("dnsQueryClass"), 1u);
  EXPECT_EQ(r.number("dnsId"), 7u);
  EXPECT_EQ(r.number("dnsFlags"), 0x8180u);
  EXPECT_EQ(r.number("dnsQueryCount"), 1u);
  EXPECT_TRUE(r.has("dnsResponseCode"));
  EXPECT_EQ(r.number("dnsResponseCode"), 0u);
  EXPECT_EQ(r.number("dnsAnswerCount"), 2u);
  EXPECT_EQ(r.text("dnsAnswer"), "a.example.org,10.0.0.1");
  EXPECT_EQ(r.text("dnsAnswerTtl"), "60,3600");
  EXPECT_EQ(r.number("dnsEdnsUdpSize"), 1232u) << "the query's";
  EXPECT_EQ(r.exchange.request_first, t);
  EXPECT_EQ(r.exchange.request_last, t);
  EXPECT_EQ(r.exchange.response_first, t + ms(12));
  EXPECT_EQ(r.exchange.response_last, t + ms(12));
  EXPECT_EQ(r.exchange.request_octets, 12u + 17u + 4u + 11u);
  EXPECT_EQ(r.exchange.quality, 0u);
}

TEST_F(Dns, AnswersMayComeInAnyOrder) {
  for (unsigned i = 0; i < 8; ++i) talk.client(dns_query(i, "n" + std::to_string(i)));
  for (unsigned i = 8; i-- > 0;) talk.server(dns_answer(i, "n" + std::to_string(i), kAddress));
  ASSERT_EQ(talk.records().size(), 8u);
  for (unsigned i = 0; i < 8; ++i) EXPECT_EQ(talk.records()[i].text("dnsQueryName"), "n" + std::to_string(7 - i));
}

TEST_F(Dns, OneIdMayAskTwoQuestions) {
  talk.client(dns_query(1, "a", 1)).client(dns_query(1, "a", 28)).client(dns_query(1, "b", 1));
  talk.server(dns_answer(1, "b", kAddress)).server(dns_answer(1, "a", kAddress));
  ASSERT_EQ(talk.records().size(), 2u);
  EXPECT_EQ(talk.records()[0].text("dnsQueryName"), "b");
  EXPECT_EQ(talk.records()[1].number("dnsQueryType"), 1u);
  EXPECT_EQ(talk.finish()[2].number("dnsQueryType"), 28u);
}

TEST_F(Dns, AnAnswerToAnotherQuestionIsNoAnswer) {
  talk.client(dns_query(1, "example.org")).server(dns_answer(1, "evil.example", kAddress));
  ASSERT_EQ(talk.records().size(), 1u);
  EXPECT_EQ(talk.records()[0].text("dnsQueryName"), "evil.example");
  EXPECT_TRUE(talk.records()[0].is(Quality::half_transaction));
  talk.server(dns_answer(1, "example.org", kAddress));
  EXPECT_FALSE(talk.records()[1].is(Quality::half_transaction));
}

TEST_F(Dns, ARepeatedQueryIsOneWithTheTimesOfTheFirstAndTheLastCopy) {
  const Nanos t = talk.now();
  talk.client(dns_query(1, "a.b"))
      .after(ms(1000))
      .client(dns_query(1, "A.b"))
      .after(ms(2000))
      .client(dns_query(1, "a.b"));
  talk.after(ms(5)).server(dns_answer(1, "a.b", kAddress)).after(ms(5)).server(dns_answer(1, "a.b", kAddress));
  const Row& r = talk.records().only();
  EXPECT_EQ(r.number("dnsQueryCount"), 3u);
  EXPECT_EQ(r.exchange.request_first, t);
  EXPECT_EQ(r.exchange.request_last, t + ms(3000));
  EXPECT_EQ(r.exchange.response_first, t + ms(3005)) << "the first answer counts";
  EXPECT_TRUE(r.is(Quality::request_repeated));
  EXPECT_EQ(talk.finish().size(), 1u);
}

TEST_F(Dns, TheSameQuestionAfterItsAnswerIsANewOne) {
  for (int i = 0; i < 2; ++i) talk.client(dns_query(1, "a")).after(ms(1)).server(dns_answer(1, "a", kAddress));
  ASSERT_EQ(talk.records().size(), 2u);
  EXPECT_EQ(talk.records()[1].number("dnsQueryCount"), 1u);
}

TEST_F(Dns, AnUnansweredQueryIsCommittedAtTheEnd) {
  talk.client(dns_query(1, "a"));
  const Row r = talk.finish().only();
  EXPECT_EQ(r.text("dnsQueryName"), "a");
  EXPECT_EQ(r.number("dnsFlags"), 0x0100u);
  EXPECT_EQ(r.number("dnsQueryCount"), 1u);
  EXPECT_FALSE(r.has("dnsResponseCode"));
  EXPECT_EQ(r.exchange.response_first, kNoTime);
  EXPECT_TRUE(r.is(Quality::half_transaction));
  EXPECT_EQ(talk.records().in_use(), 0u);
}

TEST_F(Dns, AQueryIsGivenUpWhenAMessageComesLongAfterIt) {
  talk.client(dns_query(1, "a")).after(ms(9000)).client(dns_query(2, "b")).after(ms(1000));
  talk.client(dns_query(3, "c"));
  EXPECT_EQ(talk.records().size(), 0u) << "ten seconds are allowed";
  talk.after(1).client(dns_query(4, "d"));
  ASSERT_EQ(talk.records().size(), 1u);
  EXPECT_EQ(talk.records()[0].text("dnsQueryName"), "a");
  talk.server(dns_answer(1, "a", kAddress));
  EXPECT_FALSE(talk.records()[1].exchange.request_first != kNoTime) << "too late";
}

TEST_F(Dns, TheOldestQueryGoesWhenThereAreTooMany) {
  for (unsigned i = 0; i < 30; ++i) talk.client(dns_query(i, "n" + std::to_string(i)));
  ASSERT_EQ(talk.records().size(), 6u);
  for (unsigned i = 0; i < 6; ++i) EXPECT_EQ(talk.records()[i].number("dnsId"), i);
  for (unsigned i = 6; i < 30; ++i) talk.server(dns_answer(i, "n" + std::to_string(i), kAddress));
  ASSERT_EQ(talk.finish().size(), 30u);
  for (unsigned i = 6; i < 30; ++i) EXPECT_FALSE(talk.records()[i].is(Quality::half_transaction));
}

TEST_F(Dns, AResponseWithoutAQueryStandsAlone) {
  talk.server(DnsBuilder(9, 0x8183).question("nowhere.example", 28).edns(512).text());
  const Row& r = talk.records().only();
  EXPECT_EQ(r.text("dnsQueryName"), "nowhere.example");
  EXPECT_EQ(r.number("dnsResponseCode"), 3u);
  EXPECT_EQ(r.number("dnsQueryCount"), 0u);
  EXPECT_EQ(r.number("dnsEdnsUdpSize"), 512u);
  EXPECT_EQ(r.exchange.request_first, kNoTime);
  EXPECT_NE(r.exchange.response_first, kNoTime);
  EXPECT_TRUE(r.is(Quality::half_transaction));
}

TEST_F(Dns, AnErrorWithoutAQuestionAnswersByItsId) {
  talk.client(dns_query(1, "a")).client(dns_query(2, "b")).server(DnsBuilder(2, 0x8181).text());
  ASSERT_EQ(talk.records().size(), 1u);
  EXPECT_EQ(talk.records()[0].text("dnsQueryName"), "b");
  EXPECT_EQ(talk.records()[0].number("dnsResponseCode"), 1u);
}

TEST_F(Dns, TheUpperBitsOfTheCodeAreThoseOfEdns) {
  talk.client(dns_query(1, "a")).server(DnsBuilder(1, 0x8180).question("a", 1).edns(1232, 1).text());
  EXPECT_EQ(talk.records().only().number("dnsResponseCode"), 16u) << "BADVERS";
}

TEST_F(Dns, ATruncatedAnswerIsAnAnswer) {
  talk.client(dns_query(1, "a")).server(DnsBuilder(1, 0x8380).question("a", 1).text());
  EXPECT_EQ(talk.records().only().number("dnsFlags"), 0x8380u);
  EXPECT_FALSE(talk.records().only().is(Quality::half_transaction));
}

TEST_F(Dns, OfSeveralQuestionsTheFirstCounts) {
  talk.client(DnsBuilder(0, 0).question("one.local", 12).question("two.local", 1).text());
  EXPECT_EQ(talk.finish().only().text("dnsQueryName"), "one.local");
}

TEST_F(Dns, AnnouncementsOfMulticastDnsAreAboutTheirFirstRecord) {
  const std::string announcement = DnsBuilder(0, 0x8400).answer(labels("host.local"), 1, 120, kAddress, 0x8001).text();
  talk.client(announcement).after(ms(1000)).client(announcement);
  ASSERT_EQ(talk.records().size(), 2u) << "each, though the second says the same";
  const Row& r = talk.records()[0];
  EXPECT_EQ(r.text("dnsQueryName"), "host.local");
  EXPECT_EQ(r.number("dnsQueryType"), 1u);
  EXPECT_EQ(r.number("dnsQueryClass"), 1u) << "the upper bit is a flag, RFC 6762 §10.2";
  EXPECT_EQ(r.text("dnsAnswer"), "10.0.0.1");
  EXPECT_EQ(r.number("dnsQueryCount"), 0u);
}

TEST_F(Dns, ASideDoesNotAnswerItself) {
  talk.client(DnsBuilder(0, 0).question("host.local", 1).text());
  talk.client(DnsBuilder(0, 0x8400).answer(labels("host.local"), 1, 120, kAddress).text());
  RecordList& records = talk.finish();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_TRUE(records[0].is(Quality::half_transaction));
  EXPECT_TRUE(records[1].is(Quality::half_transaction));
}

TEST_F(Dns, UpdatesAndNotificationsAreTransactions) {
  talk.client(
      DnsBuilder(1, 0x2800).question("zone.example", 6).record(2, labels("h.zone.example"), 1, 1, 60, kAddress).text());
  talk.server(DnsBuilder(1, 0xa800).question("zone.example", 6).text());
  talk.client(DnsBuilder(2, 0x2400).question("zone.example", 6).text())
      .server(DnsBuilder(2, 0xa400).question("zone.example", 6).text());
  ASSERT_EQ(talk.records().size(), 2u);
  for (const Row& r : talk.records().rows()) EXPECT_EQ(r.exchange.quality, 0u);
}

TEST_F(Dns, AMalformedMessageLaterIsDropped) {
  talk.client(dns_query(1, "a")).server("rubbish").server(std::string(40, '\xff')).server(dns_answer(1, "a", kAddress));
  EXPECT_FALSE(talk.given_up());
  EXPECT_EQ(talk.records().only().number("dnsAnswerCount"), 1u);
}

TEST_F(Dns, AMalformedFirstMessageIsNotOurs) {
  talk.client(std::string(40, '\xff'));
  EXPECT_TRUE(talk.given_up());
}

TEST_F(Dns, CountsAreNotTrusted) {
  talk.client(dns_query(1, "a"))
      .server(DnsBuilder(1, 0x8180)
                  .question("a", 1)
                  .answer(pointer(12), 1, 1, kAddress)
                  .claim(1, 65535)
                  .claim(3, 65535)
                  .text());
  const Row& r = talk.records().only();
  EXPECT_EQ(r.number("dnsAnswerCount"), 1u);
  EXPECT_EQ(r.text("dnsAnswer"), "10.0.0.1");
  EXPECT_TRUE(r.is(Quality::half_transaction)) << "it was not seen whole";
}

TEST_F(Dns, ManyAnswersAreCutBetweenTwoOfThem) {
  DnsBuilder b(1, 0x8180);
  b.question("a", 1);
  for (int i = 0; i < 60; ++i) b.answer(pointer(12), 1, 3, "\xc0\xa8\x64\x64"s);
  talk.client(dns_query(1, "a")).server(b.text());
  const Row& r = talk.records().only();
  EXPECT_EQ(r.number("dnsAnswerCount"), 60u);
  EXPECT_EQ(r.text("dnsAnswer").size(), 16u * 32 - 1);
  EXPECT_TRUE(r.text("dnsAnswer").ends_with(",192.168.100.100"));
  EXPECT_TRUE(r.is(Quality::text_cut));
}

TEST_F(Dns, ALongNameIsCutAndStillPaired) {
  std::string name = std::string(60, '\x01') + "." + std::string(60, '\x02') + "." + std::string(60, '\x03');
  talk.client(dns_query(1, name)).server(dns_answer(1, name, kAddress));
  const Row& r = talk.records().only();
  EXPECT_EQ(r.text("dnsQueryName").size(), 254u);
  EXPECT_TRUE(r.text("dnsQueryName").starts_with("\\001\\001"));
  EXPECT_EQ(r.exchange.quality, bit_of(Quality::text_cut));
}

TEST_F(Dns, WithoutRecordsLeftQueriesAndAnswersAreStillFollowed) {
  RecordList none(0);
  alignas(std::max_align_t) std::byte slot[kSessionOctets];
  Session* s = dns_dissector.open(slot);
  const std::string q = dns_query(1, "a"), a = dns_answer(1, "a", kAddress);
  EXPECT_EQ(s->on_data(Side::client, as_bytes(q), {1, 1}, none).octets, q.size());
  EXPECT_EQ(s->on_data(Side::server, as_bytes(a), {2, 2}, none).octets, a.size());
  s->on_end(none);
  s->~Session();
}

// Over TCP

std::string framed_query(unsigned id, std::string_view name) {
  return DnsBuilder(id, 0x0100).question(name, 1).framed();
}
std::string framed_answer(unsigned id, std::string_view name) {
  return DnsBuilder(id, 0x8180).question(name, 1).answer(pointer(12), 1, 300, kAddress).framed();
}

TEST(DnsStream, EveryCutGivesTheSameRecords) {
  const std::string asked = framed_query(1, "a.example") + framed_query(2, "b.example") + framed_query(3, "c.example");
  const std::string told =
      framed_answer(2, "b.example") + framed_answer(3, "c.example") + framed_answer(1, "a.example");
  std::vector<Row> whole;
  for (std::size_t cut = 0; cut <= asked.size(); ++cut) {
    Talk talk(dns_dissector);
    talk.client(asked.substr(0, cut)).client(asked.substr(cut));
    talk.server(told.substr(0, cut)).server(told.substr(cut));
    if (cut == 0) whole = talk.records().rows();
    ASSERT_EQ(talk.records().size(), 3u) << cut;
    ASSERT_EQ(talk.records().rows(), whole) << cut;
  }
  EXPECT_EQ(whole[0].text("dnsQueryName"), "b.example");
  EXPECT_EQ(whole[0].exchange.request_octets, framed_query(2, "b.example").size() - 2);
}

TEST(DnsStream, AVeryLongMessageIsReadAtItsFront) {
  DnsBuilder b(1, 0x8180);
  b.question("zone.example", 252);
  for (int i = 0; i < 2000; ++i) b.answer(pointer(12), 1, 300, kAddress);
  Talk talk(dns_dissector);
  talk.client(DnsBuilder(1, 0).question("zone.example", 252).framed());
  const std::string message = b.framed();
  for (std::size_t i = 0; i < message.size(); i += 1460) talk.server(message.substr(i, 1460));
  EXPECT_EQ(talk.records().only().text("dnsQueryName"), "zone.example");
  EXPECT_TRUE(talk.records().only().is(Quality::half_transaction));
  talk.server(DnsBuilder(1, 0x8180).answer(labels("zone.example"), 6, 1, "").framed());
  EXPECT_EQ(talk.records().size(), 1u) << "the rest of a zone transfer belongs to it";
  talk.client(framed_query(2, "x")).server(framed_answer(2, "x"));
  EXPECT_EQ(talk.records().size(), 2u);
}

TEST(DnsStream, MessagesAreFoundAgainAfterAGap) {
  const std::string told = framed_answer(1, "a.example");
  for (std::size_t at = 0; at < told.size(); ++at) {
    Talk talk(dns_dissector);
    talk.client(framed_query(1, "a.example") + framed_query(2, "b.example") + framed_query(3, "c.example"));
    talk.server(told.substr(0, at)).lose(Side::server, 1);
    talk.server(told.substr(at + 1) + framed_answer(2, "b.example")).server(framed_answer(3, "c.example"));
    RecordList& records = talk.finish();
    ASSERT_EQ(records.size(), 3u) << at;
    EXPECT_EQ(records[0].text("dnsQueryName"), "b.example") << at;
    EXPECT_TRUE(records[0].has("dnsResponseCode"));
    EXPECT_TRUE(records[1].has("dnsResponseCode"));
    EXPECT_FALSE(records[2].has("dnsResponseCode"));
  }
}

TEST(DnsStream, AWrongLengthIsALoss) {
  Talk talk(dns_dissector);
  talk.client(framed_query(1, "a") + be16(3) + "abc" + framed_query(2, "b.example"))
      .server(framed_answer(2, "b.example"));
  RecordList& records = talk.finish();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].text("dnsQueryName"), "b.example");
}

// Guess

Guess guess(const std::string& s) { return dns_dissector.guess(as_bytes(s), Side::client); }

TEST(DnsGuess, TellsQueriesFromAnswers) {
  EXPECT_EQ(guess(dns_query(1, "example.org")), Guess::from_client);
  EXPECT_EQ(guess(dns_answer(1, "example.org", kAddress)), Guess::from_server);
  EXPECT_EQ(guess(framed_query(1, "example.org")), Guess::from_client);
  EXPECT_EQ(guess(framed_answer(1, "example.org")), Guess::from_server);
  EXPECT_EQ(guess(framed_answer(1, "a") + framed_answer(2, "b")), Guess::from_server);
  EXPECT_EQ(guess(DnsBuilder(0, 0x8400).answer(labels("h.local"), 1, 120, kAddress, 0x8001).text()),
            Guess::from_server);
  EXPECT_EQ(guess(DnsBuilder(0, 0).question("h.local", 12, 0x8001).question("i.local", 12).text()), Guess::from_client);
  EXPECT_EQ(guess(dns_query(1, "")), Guess::from_client) << "the root";
}

TEST(DnsGuess, WaitsForTheQuestionOfAStream) {
  const std::string s = framed_query(1, "example.org");
  for (std::size_t n = 0; n < s.size(); ++n) EXPECT_EQ(guess(s.substr(0, n)), Guess::maybe) << n;
}

TEST(DnsGuess, IsNotTakenInByLengthOrId) {
  const std::string q = dns_query(0, "example.org");
  EXPECT_EQ(guess(be16(static_cast<unsigned>(q.size() - 2)) + q.substr(2)), Guess::from_client);
  Talk talk(dns_dissector);
  talk.client(be16(static_cast<unsigned>(q.size() - 2)) + q.substr(2));
  EXPECT_EQ(talk.finish().only().text("dnsQueryName"), "example.org");
}

TEST(DnsGuess, LeavesOthersAlone) {
  EXPECT_EQ(guess(DnsBuilder(1, 0x0110).question("CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0x21).text()), Guess::no)
      << "NetBIOS";
  EXPECT_EQ(guess(DnsBuilder(1, 0x0140).question("a", 1).text()), Guess::from_client) << "the reserved bit";
  EXPECT_EQ(guess(DnsBuilder(1, 0x0140).question("a", 1).text() + "x"), Guess::no)
      << "the reserved bit, and more wrong";
  EXPECT_EQ(guess(DnsBuilder(1, 0x7900).question("a", 1).text()), Guess::no) << "no such opcode";
  EXPECT_EQ(guess(DnsBuilder(1, 0x0100).question("a", 0).text()), Guess::no);
  EXPECT_EQ(guess(DnsBuilder(1, 0x0100).question("a", 1, 77).text()), Guess::no);
  EXPECT_EQ(guess(DnsBuilder(1, 0x0103).question("a", 1).text()), Guess::no) << "a query without an error";
  EXPECT_EQ(guess(DnsBuilder(1, 0x0100).question("a", 1).claim(3, 9).text()), Guess::no)
      << "more than there is room for";
  EXPECT_EQ(guess("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n"), Guess::no);
  EXPECT_EQ(guess("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s + std::string(40, 'r')), Guess::no);
  EXPECT_EQ(guess("\x23\x00\x06\xec\x00\x00\x00\x00\x00\x00\x00\x00"s + std::string(36, '\0')), Guess::no) << "NTP";
  EXPECT_EQ(guess(std::string(100, '\0')), Guess::no);
}

}  // namespace
}  // namespace test
}  // namespace probe
