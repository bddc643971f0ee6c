#include "exporter/collector/views.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

#include "exporter/collector/store.h"
#include "tests/kit/made_record.h"

namespace probe {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string printed(const std::function<void(std::FILE*)>& print) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* file = open_memstream(&text, &size);
  try {
    print(file);
  } catch (...) {
    std::fclose(file);
    std::free(text);
    throw;
  }
  std::fclose(file);
  std::string out(text, size);
  std::free(text);
  return out;
}

std::string why(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "(nothing was thrown)";
}

class Views : public testing::Test {
 protected:
  void http(const char* target, std::uint64_t response_us, std::uint16_t status) {
    const auto r = maker.make<"http">();
    ends(*r);
    kit::answer_after(*r, response_us);
    set_in<"httpRequestMethod">(*r, std::string_view("GET"));
    set_in<"httpRequestTarget">(*r, std::string_view(target));
    set_in<"httpStatusCode">(*r, status);
    store.put(*r);
  }
  void flow(std::uint32_t server, std::uint64_t packets, std::uint32_t again) {
    const auto r = maker.make<"flow">();
    ends(*r, server);
    kit::count_flow(*r, packets, packets * 100);
    set_in<"tcpRetransmittedPacketCount">(*r, again);
    set_in<"tcpRetransmittedOctetCount">(*r, std::uint64_t{0});
    set_in<"tcpRetransmittedBeforeProbePacketCount">(*r, std::uint32_t{0});
    set_in<"tcpOutOfOrderPacketCount">(*r, std::uint32_t{0});
    set_in<"tcpDuplicateAckCount">(*r, std::uint32_t{0});
    set_in<"tcpZeroWindowCount">(*r, std::uint32_t{0});
    store.put(*r);
  }
  static void ends(Record& r, std::uint32_t server = 0xc0000202) {
    set_in<"sourceIPv4Address">(r, std::uint32_t{0xc0000201});
    set_in<"destinationIPv4Address">(r, server);
    set_in<"sourceTransportPort">(r, std::uint16_t{40000});
    set_in<"destinationTransportPort">(r, std::uint16_t{443});
  }
  std::string show(const ViewRequest& request) {
    return printed([&](std::FILE* f) { print_views(store.database(), request, f); });
  }
  std::string answer(const std::string& question, std::size_t top = 10) {
    return printed([&](std::FILE* f) { print_answer(store.database(), question, top, f); });
  }

  kit::RecordMaker maker;
  Store store{""};
};

TEST_F(Views, AnEmptyDatabaseHasNothingToShow) { EXPECT_EQ(show({}), ""); }

TEST_F(Views, ThereIsOneForEachKindOfRecord) {
  std::vector<std::string> kinds;
  for (const schema::Kind& k : schema::kKinds) kinds.emplace_back(k.name);
  EXPECT_THAT(view_names(), testing::UnorderedElementsAreArray(kinds));
  for (const std::string& name : view_names()) {
    EXPECT_THAT(show({name, "", 5}), HasSubstr(view_columns(name).front()));
    for (const std::string& column : view_columns(name)) EXPECT_NO_THROW(show({name, column, 5})) << name << column;
  }
}

TEST_F(Views, TheSlowestComesFirst) {
  http("/fast", 1'500, 200);
  http("/slow", 900'000, 500);
  const std::string out = show({});
  EXPECT_LT(out.find("/slow"), out.find("/fast"));
  EXPECT_THAT(out, HasSubstr("900.000"));
  EXPECT_THAT(out, HasSubstr("1.500"));
  EXPECT_THAT(out, HasSubstr("192.0.2.2:443"));
  EXPECT_THAT(out, Not(HasSubstr("SQL"))) << "no table without rows";
}

TEST_F(Views, WhatWasNotMeasuredIsADash) {
  http("/x", 1, 200);
  EXPECT_THAT(show({"http", "", 1}), HasSubstr(" -\n"));
}

TEST_F(Views, AColumnCanBeChosenToSortBy) {
  http("/b", 1, 200);
  http("/a", 2, 404);
  EXPECT_LT(show({"http", "target", 2}).find("/a"), show({"http", "target", 2}).find("/b"));
  EXPECT_LT(show({"http", "status", 2}).find("/a"), show({"http", "status", 2}).find("/b"));
}

TEST_F(Views, OnlySoManyRows) {
  for (int i = 0; i < 5; ++i) http("/x", 10, 200);
  const std::string out = show({"http", "", 3});
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 1 + 1 + 1 + 3);
}

TEST_F(Views, UnknownNamesAreToldWithThoseThatThereAre) {
  EXPECT_EQ(why([&] {
              show({"smtp", "", 1});
            }),
            "there are no records of kind \"smtp\"; there are: flow, http, dns, sql, sip, rtsp, quic, rtp");
  EXPECT_THAT(why([&] {
                show({"dns", "colour", 1});
              }),
              HasSubstr("dns has no column \"colour\"; there are: client, server"));
}

TEST_F(Views, TheQuestionOfRetransmissionsIsAnsweredByServer) {
  flow(0xc0000202, 60, 3);
  flow(0xc0000202, 140, 7);
  flow(0xc0000203, 99, 50);  // too few packets to say anything
  flow(0xc0000204, 1000, 1);
  const std::string out = answer("retransmission");
  EXPECT_THAT(out, HasSubstr("SELECT")) << "people see what was asked";
  EXPECT_THAT(
      out,
      HasSubstr("192.0.2.2   443      200                    5.0\n192.0.2.4   443     1000                    0.1\n"));
  EXPECT_THAT(out, Not(HasSubstr("192.0.2.3")));
}

TEST_F(Views, AnySqlIsAnswered) {
  http("/a", 1, 200);
  http("/b", 1, 404);
  EXPECT_EQ(answer("SELECT httpRequestTarget AS target, httpStatusCode AS status, NULL AS none FROM http ORDER BY 1"),
            "target  status  none\n/a         200     -\n/b         404     -\n");
  EXPECT_EQ(answer("SELECT httpRequestTarget FROM http ORDER BY 1 DESC", 1), "httpRequestTarget\n/b\n");
}

TEST_F(Views, MistakesInAQuestionAreTold) {
  EXPECT_THAT(why([&] { answer("SELECT colour FROM http"); }), HasSubstr("no such column: colour"));
  EXPECT_THAT(why([&] { answer("DELETE FROM http"); }), HasSubstr("yields no rows"));
  EXPECT_THAT(why([&] { answer(""); }), HasSubstr("yields no rows"));
}

}  // namespace
}  // namespace probe
