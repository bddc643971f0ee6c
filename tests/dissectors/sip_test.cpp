#include <gtest/gtest.h>

#include <string>

#include "dissectors/dissector.h"
#include "tests/kit/talk.h"

namespace probe {
extern const Dissector sip_dissector;

namespace test {
namespace {

constexpr Nanos ms(std::int64_t n) { return n * kMillisecond; }

// A message; what is not told is that of the one call.
struct Sip {
  std::string start;
  std::string method;
  unsigned number = 1;
  std::string branch = "z9hG4bK1";
  std::string to_tag = {};
  std::string more = {};  // fields
  std::string body = {};
  std::string call = "call-1@host";

  std::string text() const {
    return start + "\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;rport;branch=" + branch +
           "\r\nFrom: \"Anna <1>\" <sip:anna@example.org>;tag=a\r\nTo: sip:bob@example.org" +
           (to_tag.empty() ? "" : ";tag=" + to_tag) + "\r\nCall-ID: " + call + "\r\nCSeq: " + std::to_string(number) +
           " " + method + "\r\n" + more + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
};
Sip request(const std::string& method) {
  return {.start = method + " sip:bob@example.org SIP/2.0", .method = method, .more = "User-Agent: phone/1\r\n"};
}
Sip response(unsigned status, const std::string& method, const std::string& reason = "Reason") {
  return {.start = "SIP/2.0 " + std::to_string(status) + " " + reason,
          .method = method,
          .to_tag = status == 100 ? "" : "b",
          .more = "Server: proxy/2\r\n"};
}

struct SipTalk : testing::Test {
  SipTalk() { talk.records().flow_ends.datagrams = true; }
  SipTalk& client(const Sip& m) { return talk.client(m.text()), *this; }
  SipTalk& server(const Sip& m) { return talk.server(m.text()), *this; }
  SipTalk& after(Nanos t) { return talk.after(t), *this; }
  RecordList& records() { return talk.records(); }
  Talk talk{sip_dissector};
};

TEST_F(SipTalk, PairsARequestWithItsResponse) {
  const Nanos t = talk.now();
  client(request("OPTIONS")).after(ms(7)).server(response(200, "OPTIONS", "OK, fine"));
  const Row& r = records().only();
  EXPECT_EQ(r.kind, "sip");
  EXPECT_EQ(r.text("sipCommand"), "OPTIONS");
  EXPECT_EQ(r.text("sipCallId"), "call-1@host");
  EXPECT_EQ(r.number("sipCSeq"), 1u);
  EXPECT_EQ(r.text("sipFrom"), "sip:anna@example.org");
  EXPECT_EQ(r.text("sipTo"), "sip:bob@example.org");
  EXPECT_EQ(r.text("sipRequestUri"), "sip:bob@example.org");
  EXPECT_EQ(r.text("sipVia"), "SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bK1");
  EXPECT_EQ(r.text("sipUserAgent"), "phone/1");
  EXPECT_EQ(r.text("sipServer"), "proxy/2");
  EXPECT_EQ(r.number("sipStatusCode"), 200u);
  EXPECT_EQ(r.text("sipReasonPhrase"), "OK, fine");
  EXPECT_EQ(r.number("sipRequestCount"), 1u);
  EXPECT_FALSE(r.has("sipProvisionalCount"));
  EXPECT_EQ(r.exchange.request_first, t);
  EXPECT_EQ(r.exchange.request_last, t);
  EXPECT_EQ(r.exchange.response_first, t + ms(7));
  EXPECT_EQ(r.exchange.response_last, t + ms(7));
  EXPECT_EQ(r.exchange.request_octets, request("OPTIONS").text().size());
  EXPECT_EQ(r.exchange.response_octets, response(200, "OPTIONS", "OK, fine").text().size());
  EXPECT_EQ(r.exchange.quality, 0u);
  EXPECT_FALSE(r.exchange.about_server);
}

TEST_F(SipTalk, AnInviteTellsWhenItRangWasAnsweredAndAcknowledged) {
  const Nanos t = talk.now();
  client(request("INVITE")).after(ms(5)).server(response(100, "INVITE"));
  after(ms(95)).server(response(180, "INVITE", "Ringing")).after(ms(900)).server(response(180, "INVITE"));
  after(ms(1000)).server(response(200, "INVITE", "OK"));
  EXPECT_EQ(records().size(), 0u) << "the ACK is still to come";
  Sip ack = request("ACK");
  ack.branch = "z9hG4bK2";  // of a transaction of its own
  after(ms(40)).client(ack);
  const Row& r = records().only();
  EXPECT_EQ(r.text("sipCommand"), "INVITE");
  EXPECT_EQ(r.number("sipProvisionalCount"), 3u);
  EXPECT_EQ(r.number("sipProvisionalStatusCode"), 180u);
  EXPECT_EQ(r.number("sipRingingTimeMicroseconds"), 100'000u);
  EXPECT_EQ(r.number("sipEarlyDialogCount"), 1u);
  EXPECT_EQ(r.number("sipStatusCode"), 200u);
  EXPECT_EQ(r.number("sipAckTimeMicroseconds"), 40'000u);
  EXPECT_EQ(r.number("sipFinalResponseCount"), 1u);
  EXPECT_EQ(r.exchange.response_first, t + ms(5)) << "the first response";
  EXPECT_EQ(r.exchange.response_last, t + ms(2000)) << "the final one";
  EXPECT_EQ(r.exchange.quality, 0u);
  EXPECT_EQ(talk.finish().size(), 1u);
}

TEST_F(SipTalk, ARefusalIsAcknowledgedInItsOwnTransaction) {
  client(request("INVITE")).server(response(486, "INVITE", "Busy Here")).after(ms(3)).client(request("ACK"));
  EXPECT_EQ(records().only().number("sipStatusCode"), 486u);
  EXPECT_EQ(records().only().number("sipAckTimeMicroseconds"), 3000u);
  EXPECT_FALSE(records().only().has("sipRingingTimeMicroseconds"));
}

TEST_F(SipTalk, EachBranchOfAForkedInviteHasItsAck) {
  Sip one = request("INVITE"), two = request("INVITE"), refused = response(486, "INVITE"),
      taken = response(200, "INVITE");
  two.branch = taken.branch = "z9hG4bKtwo";
  client(one).client(two).server(refused).server(taken);
  Sip ack = request("ACK");
  ack.branch = "z9hG4bKack";
  client(ack);
  ASSERT_EQ(records().size(), 1u);
  EXPECT_EQ(records()[0].number("sipStatusCode"), 200u);
  ack.branch = one.branch;
  client(ack);
  ASSERT_EQ(records().size(), 2u);
  EXPECT_EQ(records()[1].number("sipStatusCode"), 486u);
}

TEST_F(SipTalk, RepeatedRequestsAreOneTransaction) {
  const Nanos t = talk.now();
  client(request("REGISTER")).after(ms(500)).client(request("REGISTER")).after(ms(1000)).client(request("REGISTER"));
  after(ms(20)).server(response(200, "REGISTER")).client(request("REGISTER")).server(response(200, "REGISTER"));
  const Row& r = records().only();
  EXPECT_EQ(r.number("sipRequestCount"), 3u);
  EXPECT_TRUE(r.is(Quality::request_repeated));
  EXPECT_EQ(r.exchange.request_first, t);
  EXPECT_EQ(r.exchange.request_last, t + ms(1500)) << "its last copy";
  EXPECT_EQ(r.exchange.response_first, t + ms(1520));
  EXPECT_EQ(talk.finish().size(), 1u) << "copies after the response begin nothing";
}

TEST_F(SipTalk, RepeatedFinalResponsesAreCountedUntilTheAck) {
  const Nanos t = talk.now();
  client(request("INVITE")).server(response(200, "INVITE")).after(ms(500)).server(response(200, "INVITE"));
  Sip ack = request("ACK");
  ack.branch = "z9hG4bK9";
  after(ms(10)).client(ack);
  EXPECT_EQ(records().only().number("sipFinalResponseCount"), 2u);
  EXPECT_EQ(records().only().number("sipAckTimeMicroseconds"), 510'000u);
  EXPECT_EQ(records().only().exchange.response_last, t) << "the first copy";
}

TEST_F(SipTalk, CancelIsATransactionOfItsOwn) {
  client(request("INVITE")).server(response(180, "INVITE")).after(ms(100)).client(request("CANCEL"));
  server(response(200, "CANCEL")).after(ms(1)).server(response(487, "INVITE")).client(request("ACK"));
  ASSERT_EQ(records().size(), 2u);
  EXPECT_EQ(records()[0].text("sipCommand"), "CANCEL");
  EXPECT_EQ(records()[1].text("sipCommand"), "INVITE");
  EXPECT_EQ(records()[1].number("sipStatusCode"), 487u);
}

TEST_F(SipTalk, BranchesOfAForkedRequestAreCounted) {
  client(request("INVITE"));
  for (const char* tag : {"x", "y", "x", "z"}) {
    Sip ringing = response(180, "INVITE");
    ringing.to_tag = tag;
    server(ringing);
  }
  server(response(200, "INVITE")).client(request("ACK"));
  EXPECT_EQ(records().only().number("sipEarlyDialogCount"), 3u);
  EXPECT_EQ(records().only().number("sipProvisionalCount"), 4u);
}

TEST_F(SipTalk, EitherSideMayAsk) {
  client(request("INVITE")).server(response(200, "INVITE")).client(request("ACK"));
  Sip bye = request("BYE");
  bye.branch = "z9hG4bKserver";
  after(ms(10)).server(bye).after(ms(4)).client(response(481, "BYE"));
  ASSERT_EQ(records().size(), 2u);
  EXPECT_EQ(records()[1].number("sipRequestCount"), 0u) << "that is another transaction's response";
  Sip answer = response(200, "BYE");
  answer.branch = bye.branch;
  client(answer);
  ASSERT_EQ(records().size(), 3u);
  EXPECT_EQ(records()[2].text("sipCommand"), "BYE");
  EXPECT_EQ(records()[2].number("sipStatusCode"), 200u);
  EXPECT_TRUE(records()[2].exchange.about_server);
  EXPECT_FALSE(records()[0].exchange.about_server);
}

TEST_F(SipTalk, TransactionsMayOverlap) {
  for (unsigned i = 0; i < 40; ++i) {
    Sip m = request("OPTIONS");
    m.branch += std::to_string(i);
    client(m);
  }
  for (unsigned i = 40; i-- > 0;) {
    Sip m = response(200 + i, "OPTIONS");
    m.branch += std::to_string(i);
    server(m);
  }
  ASSERT_EQ(records().size(), 40u);
  for (unsigned i = 0; i < 40; ++i) EXPECT_EQ(records()[i].number("sipStatusCode"), 239 - i);
  talk.finish();
  EXPECT_EQ(records().notes().in_use(), 0u);
}

TEST_F(SipTalk, AnUnansweredRequestIsHalfAndGoesWhenItIsGivenUp) {
  client(request("OPTIONS")).after(32 * kSecond);
  Sip other = request("OPTIONS");
  other.branch = "z9hG4bKother";
  client(other);
  const Row& r = records().only();
  EXPECT_TRUE(r.is(Quality::half_transaction));
  EXPECT_FALSE(r.has("sipStatusCode"));
  EXPECT_EQ(r.exchange.response_first, kNoTime);
  EXPECT_EQ(talk.finish().size(), 2u);
}

TEST_F(SipTalk, ACallMayRingForMinutes) {
  client(request("INVITE")).server(response(180, "INVITE"));
  for (int i = 0; i < 4; ++i) {
    Sip other = request("OPTIONS");
    other.branch = "z9hG4bKo" + std::to_string(i);
    after(60 * kSecond).client(other);
    other = response(200, "OPTIONS");
    other.branch = "z9hG4bKo" + std::to_string(i);
    server(other);
  }
  server(response(200, "INVITE")).client(request("ACK"));
  ASSERT_EQ(records().size(), 5u);
  EXPECT_EQ(records()[4].exchange.quality, 0u);
}

TEST_F(SipTalk, AResponseWithoutItsRequestIsHalf) {
  server(response(180, "INVITE")).after(ms(5)).server(response(200, "INVITE")).client(request("ACK"));
  const Row& r = records().only();
  EXPECT_TRUE(r.is(Quality::half_transaction));
  EXPECT_EQ(r.number("sipRequestCount"), 0u);
  EXPECT_TRUE(r.has("sipRequestCount"));
  EXPECT_EQ(r.number("sipStatusCode"), 200u);
  EXPECT_FALSE(r.has("sipRingingTimeMicroseconds"));
  EXPECT_FALSE(r.has("sipRequestUri"));
  EXPECT_EQ(r.exchange.request_first, kNoTime);
}

TEST_F(SipTalk, AnAckAloneIsNoRecord) {
  client(request("ACK"));
  EXPECT_EQ(talk.finish().size(), 0u);
}

TEST_F(SipTalk, WhatKeepsTheWayOpenIsNoMessage) {
  client(request("OPTIONS"));
  talk.client("\r\n\r\n").server("\r\n").client(std::string(4, '\0'));
  server(response(200, "OPTIONS"));
  EXPECT_EQ(records().size(), 1u);
  EXPECT_FALSE(talk.given_up());
}

TEST_F(SipTalk, CompactAndFoldedFieldsAreUnderstood) {
  talk.client(
      "OPTIONS sip:x@y SIP/2.0\r\nv: SIP/2.0/TCP host\r\n ;branch=z9hG4bKf,\r\n SIP/2.0/UDP other;branch=2\r\n"
      "F: <sip:a@b>;tag=1\r\nt: <sip:x@y;transport=tcp>\r\ni: id\r\nCSEQ: 007 OPTIONS\r\nl: 0\r\n\r\n");
  talk.server("SIP/2.0 200 OK\r\nVia:SIP/2.0/TCP host;branch=z9hG4bKf\r\nCall-ID:id\r\nCSeq:7\tOPTIONS\r\n\r\n");
  const Row& r = records().only();
  EXPECT_EQ(r.text("sipVia"), "SIP/2.0/TCP host   ;branch=z9hG4bKf");
  EXPECT_EQ(r.text("sipTo"), "sip:x@y;transport=tcp");
  EXPECT_EQ(r.number("sipCSeq"), 7u);
  EXPECT_EQ(r.exchange.quality, 0u);
}

TEST_F(SipTalk, TheOldestGoesWhenThereAreTooMany) {
  const auto branch = [](int i) { return "z9hG4bKmany" + std::to_string(i); };
  Sip m = request("OPTIONS");
  for (int i = 0; i < 250; ++i) {
    m.branch = branch(i);
    after(ms(1)).client(m);
  }
  EXPECT_EQ(records().size(), 0u);
  for (int i = 250; i < 260; ++i) {
    m.branch = branch(i);
    after(ms(1)).client(m);
  }
  ASSERT_EQ(records().size(), 4u);
  EXPECT_EQ(records()[0].text("sipVia").substr(records()[0].text("sipVia").find("many")), "many0");
  EXPECT_EQ(talk.finish().size(), 260u);
}

TEST_F(SipTalk, AHeadCutByTheSnapLengthIsReadAsFarAsItGoes) {
  Sip m = request("OPTIONS");
  m.more += "X-Long: " + std::string(100, 'x');
  const std::string whole = m.text();
  talk.client(whole.substr(0, whole.size() - 60));
  EXPECT_EQ(talk.finish().only().text("sipCommand"), "OPTIONS");
}

TEST_F(SipTalk, GarbageIsNotOurs) {
  talk.client("INVITE me to the party\r\n\r\n");
  EXPECT_TRUE(talk.given_up());
}

TEST_F(SipTalk, AMessageWithoutItsMarksIsLeftOut) {
  client(request("OPTIONS"));
  talk.client("BYE sip:x SIP/2.0\r\nCSeq: 1 BYE\r\n\r\n")
      .client("BYE sip:x SIP/2.0\r\nVia: x\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n\r\n");
  server(response(200, "OPTIONS"));
  EXPECT_EQ(talk.finish().size(), 1u);
}

// Media

const std::string kOffer =
    "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0 96\r\n"
    "a=rtpmap:96 opus/48000/2\r\n";

TEST_F(SipTalk, DescriptionsAnnounceMedia) {
  records().flow_ends.flow_id = 77;
  Sip m = request("INVITE");
  m.more += "Content-Type: application/sdp\r\n";
  m.body = kOffer;
  client(m);
  Media found;
  ASSERT_TRUE(records().media().find({0, 0xc0000201, 49170}, talk.now(), found));
  EXPECT_EQ(found.signalling_flow, 77u);
  EXPECT_EQ(found.announced, talk.now());
  EXPECT_EQ(found.call.view(), "call-1@host");
  ASSERT_NE(found.format(96), nullptr);
  EXPECT_EQ(found.format(96)->encoding.view(), "opus");
  EXPECT_EQ(found.format(96)->clock_rate, 48000u);
  EXPECT_EQ(found.format(96)->channels, 2u);
}

TEST_F(SipTalk, SoDoPartsOfABodyAndAcks) {
  Sip m = request("ACK");
  m.more += "Content-Type: Multipart/mixed;boundary=x\r\n";
  m.body = "--x\r\nContent-Type: application/sdp\r\n\r\n" + kOffer + "\r\n--x--\r\n";
  client(m);
  Media found;
  EXPECT_TRUE(records().media().find({0, 0xc0000201, 49170}, talk.now(), found));
}

TEST_F(SipTalk, TextThatLooksLikeADescriptionIsNone) {
  Sip m = request("MESSAGE");
  m.more += "Content-Type: text/plain\r\n";
  m.body = kOffer;
  client(m);
  Media found;
  EXPECT_FALSE(records().media().find({0, 0xc0000201, 49170}, talk.now(), found));
}

// Over TCP

struct SipStream : SipTalk {
  SipStream() { records().flow_ends.datagrams = false; }
};

TEST_F(SipStream, MessagesAreCutByTheirLengths) {
  Sip first = request("MESSAGE"), second = request("OPTIONS");
  first.body = "INVITE sip:x SIP/2.0\r\n\r\n";
  second.branch = "z9hG4bKs";
  const std::string asked = "\r\n\r\n" + first.text() + second.text();
  for (std::size_t n = 1; n < 40; ++n) {
    Talk stream(sip_dissector);
    for (std::size_t at = 0; at < asked.size(); at += n) stream.client(asked.substr(at, n));
    Sip one = response(200, "OPTIONS"), two = response(202, "MESSAGE");
    one.branch = second.branch;
    stream.server(one.text() + two.text());
    ASSERT_EQ(stream.records().size(), 2u) << n;
    EXPECT_EQ(stream.records()[0].text("sipCommand"), "OPTIONS");
    EXPECT_EQ(stream.records()[1].number("sipStatusCode"), 202u);
    EXPECT_EQ(stream.records()[1].exchange.request_octets, first.text().size());
    EXPECT_EQ(stream.records()[1].exchange.quality, 0u);
  }
}

TEST_F(SipStream, MessagesAreFoundAgainBehindAGap) {
  const std::string lost = response(200, "OPTIONS").text();
  Sip next = request("OPTIONS");
  next.branch = "z9hG4bKnext";
  for (std::size_t at = 0; at < lost.size(); at += 3) {
    Talk stream(sip_dissector);
    stream.client(request("OPTIONS").text()).server(lost.substr(0, at)).lose(Side::server, 1);
    Sip answer = response(204, "OPTIONS");
    answer.branch = next.branch;
    stream.server(lost.substr(at + 1)).client(next.text()).server(answer.text());
    RecordList& records = stream.finish();
    ASSERT_EQ(records.size(), 2u) << at;
    EXPECT_EQ(records[0].number("sipStatusCode"), 204u);
    EXPECT_TRUE(records[1].is(Quality::half_transaction));
  }
}

TEST_F(SipStream, ALargeBodyGoesByUnread) {
  Sip m = request("MESSAGE");
  m.body = std::string(100'000, 'x');
  const std::string whole = m.text();
  for (std::size_t at = 0; at < whole.size(); at += 1460) talk.client(whole.substr(at, 1460));
  server(response(200, "MESSAGE"));
  EXPECT_EQ(records().only().exchange.request_octets, whole.size());
  EXPECT_TRUE(records().only().is(Quality::half_transaction)) << "its time is that of the head";
  EXPECT_LE(talk.most_needed(), kMostNeeded);
}

TEST_F(SipStream, AnEndlessHeadIsGivenUp) {
  client(request("OPTIONS"));
  talk.client("OPTIONS sip:x SIP/2.0\r\n");
  for (int i = 0; i < 500; ++i) talk.client("X: " + std::string(100, 'x') + "\r\n");
  EXPECT_LE(talk.most_needed(), kMostNeeded);
  Sip next = request("BYE");
  next.branch = "z9hG4bKb";
  client(next);
  EXPECT_EQ(talk.finish().size(), 2u);
}

// Guess

Guess guess(const std::string& s) { return sip_dissector.guess(as_bytes(s), Side::client); }

TEST(SipGuess, TellsRequestsFromResponses) {
  EXPECT_EQ(guess("INVITE sip:bob@example.org SIP/2.0\r\n"), Guess::from_client);
  EXPECT_EQ(guess("\r\nNEWMETHOD sip:bob@example.org SIP/2.0\r\n"), Guess::from_client);
  EXPECT_EQ(guess("SIP/2.0 100 Trying\r\n"), Guess::from_server);
  EXPECT_EQ(guess("SIP/2.0 200\n"), Guess::from_server);
}

TEST(SipGuess, WaitsForTheEndOfTheLine) {
  const std::string line = "OPTIONS sip:bob@example.org SIP/2.0\r";
  for (std::size_t n = 0; n < line.size(); ++n) EXPECT_EQ(guess(line.substr(0, n)), Guess::maybe) << n;
  EXPECT_EQ(guess("SIP"), Guess::maybe);
}

TEST(SipGuess, LeavesOthersAlone) {
  for (const char* s : {"OPTIONS * HTTP/1.1\r\n", "OPTIONS rtsp://x RTSP/1.0\r\n", "SIP/2.0 99 Too low\r\n", "SIPPING",
                        "GET / HTTP/1.1\r\n", "INVITE sip:x SIP/2.0x\r\n", "\x16\x03\x01\x02", "SIP/2.0 2000 OK\r\n"})
    EXPECT_EQ(guess(s), Guess::no) << s;
}

}  // namespace
}  // namespace test
}  // namespace probe
