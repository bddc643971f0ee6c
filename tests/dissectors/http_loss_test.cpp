// HTTP when octets are missing: nothing is paired that does not belong together.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dissectors/dissector.h"
#include "tests/kit/talk.h"

namespace probe {
extern const Dissector http_dissector;

namespace test {
namespace {

// The status tells which request was answered.
std::string get(int i) { return "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n"; }
std::string answer(int i) { return "HTTP/1.1 " + std::to_string(400 + i) + " x\r\nContent-Length: 2\r\n\r\nab"; }

void expect_no_wrong_pair(const RecordList& records) {
  for (const Row& r : records.rows()) {
    if (!r.has("httpRequestTarget") || !r.has("httpStatusCode")) {
      EXPECT_TRUE(r.is(Quality::half_transaction));
    } else {
      EXPECT_EQ(r.text("httpRequestTarget"), "/" + std::to_string(r.number("httpStatusCode") - 400));
    }
  }
}
bool has_pair(const RecordList& records, int i) {
  for (const Row& r : records.rows())
    if (r.text("httpRequestTarget") == "/" + std::to_string(i) &&
        r.number("httpStatusCode") == 400u + static_cast<unsigned>(i))
      return true;
  return false;
}

struct HttpLoss : testing::Test {
  Talk talk{http_dissector};
};

TEST_F(HttpLoss, InABodyIsHarmless) {
  talk.client(get(0)).server("HTTP/1.1 400 x\r\nContent-Length: 100\r\n\r\nab").lose(Side::server, 98);
  talk.client(get(1)).server(answer(1));
  ASSERT_EQ(talk.records().size(), 2u);
  EXPECT_EQ(talk.records()[0].exchange.quality, 0u);
  EXPECT_TRUE(has_pair(talk.records(), 1));
}

TEST_F(HttpLoss, InABodyThatEndsWithTheSideIsHarmless) {
  talk.client(get(0)).server("HTTP/1.1 400 x\r\n\r\nab").lose(Side::server, 98).server("cd").end(Side::server);
  EXPECT_EQ(talk.records().only().exchange.response_octets, 18u + 2u + 98u + 2u);
}

TEST_F(HttpLoss, OfAWholeResponseLeavesItsRequestAlone) {
  talk.client(get(0)).lose(Side::server, 50).client(get(1)).server(answer(1)).client(get(2)).server(answer(2));
  RecordList& records = talk.finish();
  ASSERT_EQ(records.size(), 3u);
  expect_no_wrong_pair(records);
  EXPECT_TRUE(has_pair(records, 1));
  EXPECT_TRUE(has_pair(records, 2));
  EXPECT_TRUE(records[0].is(Quality::stream_gap));
}

TEST_F(HttpLoss, OfTheTailOfAHeadKeepsWhatWasSeen) {
  talk.client(get(0)).server("HTTP/1.1 400 x\r\nContent-Type: t/t\r\nConte").lose(Side::server, 30);
  talk.server("more of the body\n").client(get(1)).server(answer(1));
  ASSERT_EQ(talk.records().size(), 2u);
  EXPECT_EQ(talk.records()[0].text("httpContentType"), "t/t");
  EXPECT_TRUE(talk.records()[0].is(Quality::half_transaction));
  EXPECT_TRUE(talk.records()[0].is(Quality::stream_gap));
  EXPECT_EQ(talk.records()[0].exchange.response_last, kNoTime);
  EXPECT_TRUE(has_pair(talk.records(), 1));
}

TEST_F(HttpLoss, OfARequestLeavesItsResponseAlone) {
  talk.client(get(0)).server(answer(0)).lose(Side::client, 40).server(answer(1)).client(get(2)).server(answer(2));
  RecordList& records = talk.finish();
  ASSERT_EQ(records.size(), 3u);
  expect_no_wrong_pair(records);
  EXPECT_FALSE(records[1].has("httpRequestMethod"));
  EXPECT_EQ(records[1].text("httpMessageVersion"), "HTTP/1.1");
  EXPECT_EQ(records[1].exchange.request_first, kNoTime);
  EXPECT_TRUE(has_pair(records, 2));
}

TEST_F(HttpLoss, OfThePartOfARequestKeepsItForItsResponse) {
  talk.client("POST /0 HTTP/1.1\r\nHo").lose(Side::client, 100).client("tail of the body").server(answer(0));
  talk.client(get(1)).server(answer(1));
  ASSERT_EQ(talk.records().size(), 2u);
  expect_no_wrong_pair(talk.records());
  EXPECT_TRUE(has_pair(talk.records(), 0));
  EXPECT_TRUE(has_pair(talk.records(), 1));
  EXPECT_TRUE(talk.records()[0].is(Quality::half_transaction));
  EXPECT_FALSE(talk.records()[1].is(Quality::half_transaction));
}

TEST_F(HttpLoss, AmongPipelinedResponsesPairsNoneOfThem) {
  talk.client(get(0) + get(1) + get(2) + get(3)).server(answer(0)).lose(Side::server, 30);
  talk.server(answer(2)).client(get(4)).server(answer(3) + answer(4));
  RecordList& records = talk.finish();
  expect_no_wrong_pair(records);
  EXPECT_TRUE(has_pair(records, 0));
  EXPECT_EQ(records.size(), 1u + 4u + 3u);
}

TEST_F(HttpLoss, AmongPipelinedRequestsPairsThoseBeforeItOnly) {
  talk.client(get(0) + get(1)).lose(Side::client, 40).client(get(3));
  talk.server(answer(0) + answer(1) + answer(2) + answer(3));
  RecordList& records = talk.finish();
  expect_no_wrong_pair(records);
  EXPECT_TRUE(has_pair(records, 0));
  EXPECT_TRUE(has_pair(records, 1));
  EXPECT_EQ(records.size(), 2u + 1u + 2u);
}

TEST_F(HttpLoss, ThatTurnsOutToHaveBeenNoResponseEndsTheDoubt) {
  talk.client(get(0) + get(1)).lose(Side::server, 5).server("\n" + answer(0) + answer(1));
  talk.client(get(2)).server(answer(2));
  RecordList& records = talk.finish();
  expect_no_wrong_pair(records);
  EXPECT_TRUE(has_pair(records, 2)) << "as many responses came as were due";
}

TEST_F(HttpLoss, DuringAnUploadDoesNotLoseItsResponse) {
  talk.client("POST /0 HTTP/1.1\r\nContent-Length: 4\r\n\r\nab").lose(Side::server, 25).client("cd").server(answer(0));
  EXPECT_TRUE(has_pair(talk.records(), 0)) << "what was lost was a 100 (Continue)";
}

TEST_F(HttpLoss, AMessageIsFoundAgainBehindTextOfABody) {
  talk.client(get(0)).server("HTTP/1.1 400 x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab").lose(Side::server, 2000);
  talk.server("rest of it\r\nGET / HTTP/1.1\r\nHTTP/2 200\r\n0\r\n\r\n").client(get(1)).server(answer(1));
  ASSERT_EQ(talk.records().size(), 2u);
  EXPECT_TRUE(has_pair(talk.records(), 1));
}

TEST_F(HttpLoss, ABadChunkIsALoss) {
  talk.client(get(0)).server("HTTP/1.1 400 x\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n");
  EXPECT_TRUE(talk.records().only().is(Quality::half_transaction));
  talk.client(get(1)).server(answer(1));
  EXPECT_TRUE(has_pair(talk.records(), 1));
  talk.client(get(2)).server("HTTP/1.1 402 x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcdef\r\n0\r\n\r\n");
  talk.client(get(3)).server(answer(3));
  EXPECT_TRUE(has_pair(talk.records(), 3));
}

TEST_F(HttpLoss, AStartInTheMiddleFindsTheNextTransaction) {
  talk.server("HTTP/1.1 400 x\r\nContent-Length: 2\r\n\r\nab").client(get(1)).server(answer(1));
  ASSERT_EQ(talk.records().size(), 2u);
  EXPECT_TRUE(talk.records()[0].is(Quality::half_transaction));
  EXPECT_FALSE(talk.records()[0].has("httpRequestMethod"));
  EXPECT_FALSE(talk.records()[1].is(Quality::half_transaction));
}

TEST_F(HttpLoss, RubbishOfTheServerIsNoResponse) {
  talk.client(get(0)).server("tail of an older body, and then\r\n" + answer(0)).client(get(1)).server(answer(1));
  ASSERT_EQ(talk.records().size(), 2u);
  expect_no_wrong_pair(talk.records());
  EXPECT_TRUE(has_pair(talk.records(), 0)) << "only one request waits, and this is the only response";
  EXPECT_TRUE(has_pair(talk.records(), 1));
}

TEST_F(HttpLoss, RubbishAmongPipelinedResponsesPairsNone) {
  talk.client(get(0) + get(1)).server("HTTP/1.1 what?\r\n\r\n" + answer(1));
  RecordList& records = talk.finish();
  expect_no_wrong_pair(records);
  EXPECT_EQ(records.size(), 3u);
}

TEST_F(HttpLoss, RubbishOfTheClientBetweenRequestsIsPassedOver) {
  talk.client(get(0)).server(answer(0)).client("\x01\x02 rubbish\r\n" + get(1)).server(answer(1));
  RecordList& records = talk.finish();
  ASSERT_EQ(records.size(), 2u);
  EXPECT_TRUE(has_pair(records, 1));
}

TEST_F(HttpLoss, AnywhereLaterTransactionsComeOut) {
  std::string all;
  for (int i = 0; i < 2; ++i) all += answer(i);
  for (std::size_t at = 0; at < all.size(); ++at)
    for (const std::size_t n : {std::size_t{1}, std::size_t{10}, std::size_t{60}}) {
      Talk t(http_dissector);
      t.client(get(0)).server(std::string_view(all).substr(0, std::min(at, all.size() / 2)));
      t.client(get(1));
      if (at > all.size() / 2) t.server(std::string_view(all).substr(all.size() / 2, at - all.size() / 2));
      t.lose(Side::server, n).server(std::string_view(all).substr(std::min(all.size(), at + n)));
      t.client(get(2)).server(answer(2)).client(get(3)).server(answer(3));
      RecordList& records = t.finish();
      expect_no_wrong_pair(records);
      EXPECT_GE(records.size(), 4u);
      EXPECT_EQ(records.in_use(), 0u);
    }
}

TEST_F(HttpLoss, WithoutRecordsLeftTheConnectionIsStillFollowed) {
  RecordList none(0);
  alignas(std::max_align_t) std::byte slot[kSessionOctets];
  Session* s = http_dissector.open(slot);
  const std::string request = get(0), response = answer(0);
  EXPECT_EQ(s->on_data(Side::client, as_bytes(request), {1, 1}, none).octets, request.size());
  EXPECT_EQ(s->on_data(Side::server, as_bytes(response), {2, 2}, none).octets, response.size());
  s->on_end(none);
  s->~Session();
  EXPECT_EQ(none.size(), 0u);
}

}  // namespace
}  // namespace test
}  // namespace probe
