#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "dissectors/dissector.h"
#include "tests/kit/talk.h"

namespace probe {
extern const Dissector http_dissector;

namespace test {
namespace {

using namespace std::string_literals;

constexpr Nanos ms(std::int64_t n) { return n * kMillisecond; }

const std::string kGet = "GET /a?b=c HTTP/1.1\r\nHost: example.org\r\n\r\n";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";

std::string get(const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n"; }
std::string answer(int status) { return "HTTP/1.1 " + std::to_string(status) + " x\r\nContent-Length: 2\r\n\r\nab"; }

struct Http : testing::Test {
  Talk talk{http_dissector};
};

TEST_F(Http, TellsWhatTheRequestAndTheResponseSay) {
  const std::string request =
      "POST /x HTTP/1.1\r\nHost: example.org:8080\r\nUser-Agent: curl/7.88.1\r\nReferer: http://r/\r\n"
      "X-Forwarded-For: 10.1.2.3\r\nContent-Type: a/b\r\nContent-Length: 3\r\n\r\nabc";
  talk.client(request).after(ms(20)).server(kOk);
  const Row& r = talk.records().only();
  EXPECT_EQ(r.kind, "http");
  EXPECT_EQ(r.text("httpRequestMethod"), "POST");
  EXPECT_EQ(r.text("httpRequestHost"), "example.org:8080");
  EXPECT_EQ(r.text("httpRequestTarget"), "/x");
  EXPECT_EQ(r.text("httpMessageVersion"), "HTTP/1.1");
  EXPECT_EQ(r.text("httpUserAgent"), "curl/7.88.1");
  EXPECT_EQ(r.text("httpReferer"), "http://r/");
  EXPECT_EQ(r.text("httpForwardedFor"), "10.1.2.3");
  EXPECT_EQ(r.number("httpStatusCode"), 200u);
  EXPECT_EQ(r.text("httpContentType"), "text/plain");
  EXPECT_EQ(r.exchange.request_octets, request.size());
  EXPECT_EQ(r.exchange.response_octets, kOk.size());
  EXPECT_EQ(r.exchange.quality, 0u);
}

TEST_F(Http, TimesAreThoseOfTheFirstAndLastOctetOfEachMessage) {
  const Nanos t = talk.now();
  talk.client("POST /x HTTP/1.1\r\nContent-Length: 4\r\n\r\nab").after(ms(1)).client("cd").after(ms(10));
  talk.server("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n").after(ms(2)).server("\r\nab").after(ms(3)).server("cdef");
  const Exchange& e = talk.records().only().exchange;
  EXPECT_EQ(e.request_first, t);
  EXPECT_EQ(e.request_last, t + ms(1));
  EXPECT_EQ(e.response_first, t + ms(11));
  EXPECT_EQ(e.response_last, t + ms(16));
}

TEST_F(Http, KeepAliveGivesARecordPerTransaction) {
  for (int i = 0; i < 5; ++i) {
    talk.client(get("/" + std::to_string(i))).after(ms(1)).server(answer(200 + i));
    ASSERT_EQ(talk.records().size(), static_cast<std::size_t>(i + 1));
    EXPECT_EQ(talk.records()[i].text("httpRequestTarget"), "/" + std::to_string(i));
    EXPECT_EQ(talk.records()[i].number("httpStatusCode"), 200u + static_cast<unsigned>(i));
    EXPECT_EQ(talk.records()[i].exchange.quality, 0u);
  }
}

TEST_F(Http, PipelinedResponsesAnswerInOrder) {
  std::string requests, responses;
  for (int i = 0; i < 16; ++i) requests += get("/" + std::to_string(i)), responses += answer(400 + i);
  talk.client(requests).after(ms(3)).server(responses);
  ASSERT_EQ(talk.records().size(), 16u);
  for (int i = 0; i < 16; ++i) {
    const Row& r = talk.records()[static_cast<std::size_t>(i)];
    EXPECT_EQ(r.text("httpRequestTarget"), "/" + std::to_string(i));
    EXPECT_EQ(r.number("httpStatusCode"), 400u + static_cast<unsigned>(i));
    EXPECT_EQ(r.is(Quality::pipelined), i > 0);
    EXPECT_FALSE(r.is(Quality::half_transaction));
  }
}

TEST_F(Http, ARequestSentDuringTheResponseBeforeItIsPipelined) {
  talk.client(get("/1")).server("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc");
  talk.client(get("/2")).server("defghi").server(answer(404));
  ASSERT_EQ(talk.records().size(), 2u);
  EXPECT_FALSE(talk.records()[0].is(Quality::pipelined));
  EXPECT_TRUE(talk.records()[1].is(Quality::pipelined));
  EXPECT_EQ(talk.records()[1].number("httpStatusCode"), 404u);
}

TEST_F(Http, RequestsBeyondTheQueueAndTheirResponsesStandAlone) {
  for (int i = 0; i < 20; ++i) talk.client(get("/" + std::to_string(i)));
  EXPECT_EQ(talk.records().size(), 4u) << "what cannot wait is committed as it is";
  for (int i = 0; i < 20; ++i) talk.server(answer(400 + i));
  ASSERT_EQ(talk.records().size(), 24u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(talk.records()[i].text("httpRequestTarget"), "/" + std::to_string(16 + i));
    EXPECT_FALSE(talk.records()[i].has("httpStatusCode"));
    EXPECT_TRUE(talk.records()[i].is(Quality::half_transaction));
    EXPECT_TRUE(talk.records()[i].is(Quality::pipelined));
    EXPECT_FALSE(talk.records()[20 + i].has("httpRequestMethod"));
    EXPECT_EQ(talk.records()[20 + i].number("httpStatusCode"), 416u + i);
  }
  for (std::size_t i = 0; i < 16; ++i) EXPECT_EQ(talk.records()[4 + i].number("httpStatusCode"), 400u + i);
  talk.client(get("/again")).server(answer(201));
  EXPECT_EQ(talk.records()[24].text("httpRequestTarget"), "/again");
  EXPECT_EQ(talk.records()[24].number("httpStatusCode"), 201u);
}

TEST_F(Http, ChunkedBodiesEndBehindTheirTrailers) {
  const std::string response =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;name=\"v\"\r\nhello\r\nA\r\n0123456789\r\n"
      "000\r\nChecksum: 1\r\nOther: 2\r\n\r\n";
  talk.client(kGet).server(response + answer(500)).client(get("/2"));
  ASSERT_EQ(talk.records().size(), 2u);
  EXPECT_EQ(talk.records()[0].exchange.response_octets, response.size());
  EXPECT_EQ(talk.records()[1].number("httpStatusCode"), 500u);
}

TEST_F(Http, ChunkedRequestsAreRequests) {
  const std::string request = "PUT /u HTTP/1.1\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  talk.client(request).client(get("/2")).server(answer(201)).server(answer(202));
  ASSERT_EQ(talk.records().size(), 2u);
  EXPECT_EQ(talk.records()[0].exchange.request_octets, request.size());
  EXPECT_EQ(talk.records()[1].text("httpRequestTarget"), "/2");
}

TEST_F(Http, ResponsesThatNeverHaveABodyHaveNoneWhateverTheirLength) {
  talk.client("HEAD /1 HTTP/1.1\r\n\r\n").server("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n");
  talk.client(get("/2")).server("HTTP/1.1 304 Not Modified\r\nContent-Length: 5000\r\n\r\n");
  talk.client(get("/3")).server("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n");
  talk.client(get("/4")).server(answer(200));
  ASSERT_EQ(talk.records().size(), 4u);
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(talk.records()[static_cast<std::size_t>(i)].text("httpRequestTarget"), "/" + std::to_string(i + 1));
}

TEST_F(Http, InterimResponsesEndNeitherRequestNorResponse) {
  const Nanos t = talk.now();
  talk.client("POST /x HTTP/1.1\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n").after(ms(5));
  talk.server("HTTP/1.1 100 Continue\r\nContent-Type: no/no\r\n\r\n").after(ms(5)).client("abc").after(ms(5));
  talk.server("HTTP/1.1 103 Early Hints\r\nLink: </s>\r\n\r\n").after(ms(5)).server(kOk);
  const Row& r = talk.records().only();
  EXPECT_EQ(r.number("httpStatusCode"), 200u);
  EXPECT_EQ(r.text("httpContentType"), "text/plain");
  EXPECT_EQ(r.exchange.request_last, t + ms(10)) << "the body follows the 100";
  EXPECT_EQ(r.exchange.response_first, t + ms(20));
  EXPECT_EQ(r.exchange.response_octets, kOk.size());
}

TEST_F(Http, TheHostOfConnectIsItsTargetIfNoFieldTellsIt) {
  talk.client("CONNECT a:443 HTTP/1.1\r\n\r\n").server(answer(407));
  talk.client("CONNECT a:443 HTTP/1.1\r\nHost: b\r\n\r\n").server(answer(407));
  EXPECT_EQ(talk.records()[0].text("httpRequestHost"), "a:443");
  EXPECT_EQ(talk.records()[1].text("httpRequestHost"), "b");
}

TEST_F(Http, WhatReceiversOverlookIsOverlooked) {
  talk.client(get("/1")).server(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\n\r\r\n\r\n\x0c 2 \r\nab\r\n\r\n0\r\n\r\n");
  talk.client(get("/2")).server("HTTP/2.0 404  Not found\r\nContent-Length: 0\r\n\r\n");
  talk.client(get("/3")).server("HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nab");
  ASSERT_EQ(talk.records().size(), 3u);
  EXPECT_EQ(talk.records()[1].number("httpStatusCode"), 404u);
  for (const Row& r : talk.records().rows()) EXPECT_EQ(r.exchange.quality, 0u);
}

TEST_F(Http, ConnectMakesTheRestOpaque) {
  talk.client("CONNECT example.org:443 HTTP/1.1\r\n\r\n").server("HTTP/1.1 200 Established\r\n\r\n\x16\x03\x01");
  const Row& r = talk.records().only();
  EXPECT_EQ(r.text("httpRequestHost"), "example.org:443");
  EXPECT_TRUE(r.is(Quality::opaque));
  const std::size_t calls = talk.calls();
  for (int i = 0; i < 50; ++i) talk.client(kGet).server(kOk);
  EXPECT_LE(talk.calls(), calls + 1) << "both sides skip to the end";
  EXPECT_EQ(talk.finish().size(), 1u);
}

TEST_F(Http, ARefusedConnectIsAnOrdinaryTransaction) {
  talk.client("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n")
      .server(answer(407))
      .client(get("/2"))
      .server(answer(200));
  ASSERT_EQ(talk.records().size(), 2u);
  EXPECT_FALSE(talk.records()[0].is(Quality::opaque));
}

TEST_F(Http, UpgradeMakesTheRestOpaque) {
  talk.client("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n" + get("/pipelined"));
  talk.server("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05hello" + kOk)
      .client("\x81\x05" + kGet);
  RecordList& records = talk.finish();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].number("httpStatusCode"), 101u);
  EXPECT_TRUE(records[0].is(Quality::opaque));
  EXPECT_FALSE(records[0].is(Quality::half_transaction));
  EXPECT_EQ(records[1].text("httpRequestTarget"), "/pipelined");
  EXPECT_TRUE(records[1].is(Quality::half_transaction));
}

TEST_F(Http, ABodyWithoutALengthEndsWithItsSide) {
  const std::string head = "HTTP/1.0 200 OK\r\nContent-Type: a/b\r\n\r\n";
  talk.client("GET / HTTP/1.0\r\n\r\n").server(head).after(ms(4)).server("0123456789\n").after(ms(4)).server(kOk);
  EXPECT_EQ(talk.records().size(), 0u);
  const Nanos last = talk.now();
  talk.after(ms(9)).end(Side::server);
  const Row& r = talk.records().only();
  EXPECT_EQ(r.text("httpMessageVersion"), "HTTP/1.0");
  EXPECT_EQ(r.exchange.response_octets, head.size() + 11 + kOk.size());
  EXPECT_EQ(r.exchange.response_last, last);
  EXPECT_EQ(r.exchange.quality, 0u);
}

TEST_F(Http, BodiesGoByUnread) {
  talk.client(kGet).server("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
  const std::size_t calls = talk.calls();
  for (int i = 0; i < 1000; ++i) talk.server(std::string(1000, 'x'));
  EXPECT_EQ(talk.calls(), calls) << "not one call for the body";
  EXPECT_EQ(talk.records().only().exchange.response_octets, 44u + 1000000u);
}

TEST_F(Http, TransferEncodingOverridesContentLength) {
  talk.client(kGet + get("/2"));
  talk.server("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" +
              answer(404));
  ASSERT_EQ(talk.records().size(), 2u);
  EXPECT_EQ(talk.records()[1].number("httpStatusCode"), 404u);
}

TEST_F(Http, EqualContentLengthsAreOne) {
  talk.client(kGet)
      .server("HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\ncontent-LENGTH: 3\r\n\r\nabc" + kOk)
      .client(kGet);
  ASSERT_EQ(talk.records().size(), 2u);
  EXPECT_EQ(talk.records()[1].number("httpStatusCode"), 200u);
}

class BadLength : public testing::TestWithParam<const char*> {};
TEST_P(BadLength, OfAResponseMakesItsBodyEndWithItsSide) {
  Talk talk(http_dissector);
  talk.client(kGet).server("HTTP/1.1 200 OK\r\nContent-Length: "s + GetParam() + "\r\n\r\nab").server("cd");
  EXPECT_EQ(talk.records().size(), 0u);
  talk.end(Side::server);
  EXPECT_EQ(talk.records().size(), 1u);
}
TEST_P(BadLength, OfARequestMakesItHalfAndTheNextOneIsFound) {
  Talk talk(http_dissector);
  talk.client("POST /1 HTTP/1.1\r\nContent-Length: "s + GetParam() + "\r\n\r\nab\r\n")
      .server(answer(400))
      .client(kGet)
      .server(kOk);
  ASSERT_EQ(talk.records().size(), 2u);
  EXPECT_EQ(talk.records()[0].number("httpStatusCode"), 400u);
  EXPECT_TRUE(talk.records()[0].is(Quality::half_transaction));
  EXPECT_EQ(talk.records()[1].number("httpStatusCode"), 200u);
  EXPECT_FALSE(talk.records()[1].is(Quality::half_transaction));
}
INSTANTIATE_TEST_SUITE_P(Http, BadLength,
                         testing::Values("", "x", "-1", "+1", "1 2", "3, 4", "0x10", "99999999999999999999999"));

TEST_F(Http, TheGreatestLengthDoesNotOverflow) {
  talk.client(kGet).server("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nabc").server(kOk);
  EXPECT_EQ(talk.records().size(), 0u);
  talk.end(Side::server);
  EXPECT_TRUE(talk.records().only().is(Quality::half_transaction));
  EXPECT_EQ(talk.records().only().exchange.response_last, kNoTime);
}

TEST_F(Http, FoldedFieldsAreOne) {
  talk.client("GET / HTTP/1.1\r\nUser-Agent: a\r\n\t b\r\nHost:\r\n h\r\n\r\n");
  talk.server("HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n");
  const Row& r = talk.records().only();
  EXPECT_EQ(r.text("httpUserAgent"), "a  \t b");
  EXPECT_EQ(r.text("httpRequestHost"), "h");
}

TEST_F(Http, LineFeedsAloneEndLines) {
  talk.client("GET /1 HTTP/1.1\nHost: h\n\nGET /2 HTTP/1.1\n\n");
  talk.server("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n1\na\n0\n\nHTTP/1.1 404\nContent-Length: 0\n\n");
  ASSERT_EQ(talk.records().size(), 2u);
  EXPECT_EQ(talk.records()[0].text("httpRequestHost"), "h");
  EXPECT_EQ(talk.records()[1].number("httpStatusCode"), 404u);
}

TEST_F(Http, EmptyLinesBeforeARequestAreNoPartOfIt) {
  const Nanos t = talk.now();
  talk.client("\r\n").after(ms(1)).client("\r\n\n" + kGet + "\r\n").after(ms(2)).server(kOk).client(kGet).server(kOk);
  ASSERT_EQ(talk.records().size(), 2u);
  EXPECT_EQ(talk.records()[0].exchange.request_first, t + ms(1));
  EXPECT_EQ(talk.records()[0].exchange.request_octets, kGet.size());
  EXPECT_EQ(talk.records()[1].exchange.request_first, t + ms(3));
}

TEST_F(Http, AHeadMayBeLongerThanWhatCanBeHeld) {
  std::string request = "GET /long HTTP/1.1\r\n";
  for (int i = 0; i < 400; ++i) request += "X-Field-" + std::to_string(i) + ": " + std::string(100, 'v') + "\r\n";
  request += "Host: late\r\n\r\n";
  for (std::size_t i = 0; i < request.size(); i += 1000) talk.client(request.substr(i, 1000));
  talk.server(kOk);
  EXPECT_EQ(talk.records().only().text("httpRequestHost"), "late");
  EXPECT_EQ(talk.records().only().exchange.request_octets, request.size());
  EXPECT_LT(talk.most_needed(), 4096u);
}

TEST_F(Http, ALineMayBeLongerThanWhatCanBeHeld) {
  const std::string request =
      "GET /" + std::string(40000, 'x') + " HTTP/1.1\r\nCookie: " + std::string(70000, 'c') + "\r\nHost: h\r\n\r\n";
  for (std::size_t i = 0; i < request.size(); i += 1000) talk.client(request.substr(i, 1000));
  talk.server(kOk);
  const Row& r = talk.records().only();
  EXPECT_EQ(r.text("httpRequestTarget"), "/" + std::string(1023, 'x'));
  EXPECT_EQ(r.text("httpMessageVersion"), "HTTP/1.1");
  EXPECT_EQ(r.text("httpRequestHost"), "h");
  EXPECT_EQ(r.exchange.request_octets, request.size());
  EXPECT_EQ(r.exchange.quality, bit_of(Quality::text_cut));
  EXPECT_LT(talk.most_needed(), 4096u);
}

TEST_F(Http, ALongLineThatIsNoRequestAfterAllIsNone) {
  talk.client(kGet).server(kOk).client("GET /" + std::string(5000, 'x')).client(" is what I want\r\n");
  talk.client(kGet).server(kOk);
  ASSERT_EQ(talk.records().size(), 2u);
  EXPECT_FALSE(talk.records()[1].is(Quality::half_transaction));
}

TEST_F(Http, TheAuthorityOfAnAbsoluteTargetIsTheHost) {
  talk.client("GET http://user@example.org:8080/p?q=http://x/ HTTP/1.1\r\nHost: other\r\n\r\n").server(kOk);
  EXPECT_EQ(talk.records().only().text("httpRequestHost"), "example.org:8080");
  EXPECT_EQ(talk.records().only().text("httpRequestTarget"), "http://user@example.org:8080/p?q=http://x/");
}

TEST_F(Http, AMissingHostIsAbsent) {
  talk.client("GET / HTTP/1.0\r\n\r\n").server(kOk);
  EXPECT_FALSE(talk.records().only().has("httpRequestHost"));
}

TEST_F(Http, OfAFieldThatComesTwiceTheFirstCounts) {
  talk.client("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nForwarded: for=1\r\nX-Forwarded-For: 2\r\n\r\n").server(kOk);
  EXPECT_EQ(talk.records().only().text("httpRequestHost"), "a");
  EXPECT_EQ(talk.records().only().text("httpForwardedFor"), "for=1");
}

TEST_F(Http, UnusualMethodsAreMethods) {
  for (const char* method : {"PROPFIND", "M-SEARCH", "RPC_IN_DATA", "version-control"})
    talk.client(method + " /x HTTP/1.1\r\n\r\n"s).server(answer(207));
  ASSERT_EQ(talk.records().size(), 4u);
  EXPECT_EQ(talk.records()[2].text("httpRequestMethod"), "RPC_IN_DATA");
}

TEST_F(Http, HttpTwoWithPriorKnowledgeIsNotOurs) {
  talk.client("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  EXPECT_TRUE(talk.given_up());
}

TEST_F(Http, AnEarlyResponseWaitsForTheEndOfItsRequest) {
  const Nanos t = talk.now();
  talk.client("POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\nabc").after(ms(1)).server(answer(413));
  EXPECT_EQ(talk.records().size(), 0u);
  talk.after(ms(1)).client("def" + get("/2")).after(ms(1)).server(answer(200));
  ASSERT_EQ(talk.records().size(), 2u);
  EXPECT_EQ(talk.records()[0].number("httpStatusCode"), 413u);
  EXPECT_EQ(talk.records()[0].exchange.response_first, t + ms(1));
  EXPECT_EQ(talk.records()[0].exchange.request_last, t + ms(2));
  EXPECT_EQ(talk.records()[0].exchange.quality, 0u);
  EXPECT_EQ(talk.records()[1].exchange.quality, 0u);
}

TEST_F(Http, AnEarlyResponseWhoseRequestNeverEndsIsHalf) {
  talk.client("POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\nabc").server(answer(413)).end(Side::client);
  EXPECT_EQ(talk.records().only().number("httpStatusCode"), 413u);
  EXPECT_TRUE(talk.records().only().is(Quality::half_transaction));
}

TEST_F(Http, AnUnansweredRequestIsCommittedAtTheEnd) {
  talk.client(get("/1") + get("/2"));
  EXPECT_EQ(talk.records().size(), 0u);
  talk.end(Side::client);
  EXPECT_EQ(talk.records().size(), 0u) << "the server may still answer";
  RecordList& records = talk.finish();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[1].text("httpRequestTarget"), "/2");
  EXPECT_FALSE(records[1].has("httpStatusCode"));
  EXPECT_EQ(records[1].exchange.response_first, kNoTime);
  EXPECT_TRUE(records[1].is(Quality::half_transaction));
  EXPECT_EQ(records.in_use(), 0u);
}

TEST_F(Http, AnUnfinishedHeadIsCommittedWithWhatIsThere) {
  talk.client("GET /1 HTTP/1.1\r\nHost: h\r\nUser-");
  const Row r = talk.finish().only();
  EXPECT_EQ(r.text("httpRequestHost"), "h");
  EXPECT_TRUE(r.is(Quality::half_transaction));
}

TEST_F(Http, AResponseCutByTheEndHasNoLastOctet) {
  talk.client(kGet).server("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").end(Side::server);
  const Row& r = talk.records().only();
  EXPECT_EQ(r.number("httpStatusCode"), 200u);
  EXPECT_NE(r.exchange.response_first, kNoTime);
  EXPECT_EQ(r.exchange.response_last, kNoTime);
  EXPECT_TRUE(r.is(Quality::half_transaction));
}

TEST_F(Http, TextIsCutAtItsLimitAndSaidToBe) {
  talk.client("GET / HTTP/1.1\r\nUser-Agent: " + std::string(255, 'u') + "\r\n\r\n").server(kOk);
  talk.client("GET / HTTP/1.1\r\nUser-Agent: " + std::string(254, 'u') + "\r\n\r\n").server(kOk);
  talk.client("GET / HTTP/1.1\r\nUser-Agent: " + std::string(200, '\xff') + "\r\n\r\n").server(kOk);
  EXPECT_TRUE(talk.records()[0].is(Quality::text_cut));
  EXPECT_EQ(talk.records()[0].text("httpUserAgent").size(), 254u);
  EXPECT_FALSE(talk.records()[1].is(Quality::text_cut));
  EXPECT_TRUE(talk.records()[2].is(Quality::text_cut));
}

using Script = std::vector<std::pair<Side, std::string>>;

std::vector<Row> play(const Script& script, std::size_t cut_at, std::size_t then = 0) {
  Talk talk(http_dissector);
  std::size_t done = 0;
  for (const auto& [from, text] : script) {
    std::size_t begin = 0;
    for (const std::size_t cut : {cut_at, cut_at + then})
      if (cut > done + begin && cut < done + text.size()) {
        talk.say(from, std::string_view(text).substr(begin, cut - done - begin));
        begin = cut - done;
      }
    talk.say(from, std::string_view(text).substr(begin));
    done += text.size();
  }
  talk.end(Side::client).end(Side::server);
  std::vector<Row> rows = talk.finish().take_rows();
  EXPECT_EQ(talk.records().in_use(), 0u);
  return rows;
}

const Script kScript = {
    {Side::client, "\r\n" + get("/1") +
                       "POST /2 HTTP/1.1\r\nHost: h\r\nFolded: a\r\n b\r\nContent-Length: 4\r\n\r\nbody" +
                       "HEAD /3 HTTP/1.1\nHost: x\n\n" + "PUT /4 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" +
                       "3\r\nabc\r\n1f;e=1\r\n" + std::string(31, 'z') + "\r\n0\r\nT: 1\r\n\r\n"},
    {Side::server, "HTTP/1.1 100 Continue\r\n\r\n" + answer(200) +
                       "HTTP/1.1 200 OK\r\nContent-Type: t\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n" +
                       "HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n" +
                       "HTTP/1.1 304 Not\r\nContent-Length: 9\r\n\r\n"},
    {Side::client, "GET /5?" + std::string(2100, 'q') + " HTTP/1.1\r\nHost: h\r\n\r\n"},
    {Side::server, "HTTP/1.1 200 OK\r\nContent-Type: t\r\n\r\nuntil the end"},
};

TEST(HttpSplit, EveryCutGivesTheSameRecords) {
  const std::vector<Row> whole = play(kScript, 0);
  ASSERT_EQ(whole.size(), 5u);
  for (const Row& r : whole) EXPECT_FALSE(r.is(Quality::half_transaction)) << r.text("httpRequestTarget");
  std::size_t all = 0;
  for (const auto& turn : kScript) all += turn.second.size();
  for (std::size_t cut = 1; cut < all; ++cut) {
    ASSERT_EQ(play(kScript, cut), whole) << "cut at " << cut;
    ASSERT_EQ(play(kScript, cut, 1), whole) << "cut at " << cut << " and behind it";
  }
}

TEST(HttpSplit, OctetByOctetGivesTheSameRecords) {
  Talk talk(http_dissector);
  for (const auto& [from, text] : kScript)
    for (const char& c : text) talk.say(from, {&c, 1});
  talk.end(Side::client).end(Side::server);
  EXPECT_EQ(talk.finish().take_rows(), play(kScript, 0));
}

}  // namespace
}  // namespace test
}  // namespace probe
