#include "probe/pipeline/redact.h"

#include <gtest/gtest.h>

#include "tests/probe/pipeline/probing.h"

namespace probe::test {
namespace {

using namespace tcp_flag;

template <schema::Name Kind>
Seen redacted(const Redaction& what, auto&& fill) {
  std::array<std::size_t, schema::kKindCount> slots;
  slots.fill(1);
  RecordPools pools(slots);
  Draft<Kind> d(pools.take(schema::find_kind(Kind.view())));
  d.template set<"flowId">(std::uint64_t{1});
  d.template set<"protocolIdentifier">(std::uint8_t{6});
  fill(d);
  Record* r = d.release();
  redact(*r, what);
  Seen out = seen(*r);
  pools.give(r);
  return out;
}

Seen http(const Redaction& what, std::string_view target, std::string_view referer) {
  return redacted<"http">(what, [&](auto& d) {
    d.template set<"httpRequestMethod">(std::string_view("GET"));
    d.template set<"httpRequestTarget">(target);
    d.template set<"httpReferer">(referer);
  });
}

Seen sql(const Redaction& what) {
  return redacted<"sql">(what, [&](auto& d) {
    d.template set<"databaseUser">(std::string_view("anna"));
    d.template set<"databaseStatement">(std::string_view("SELECT 'secret'"));
    d.template set<"databaseStatementDigestText">(std::string_view("SELECT ?"));
    d.template set<"databaseSqlState">(std::string_view("42000"));
    d.template set<"databaseErrorMessage">(std::string_view("near 'secret'"));
  });
}

TEST(Redact, LeavesAllAsItIsUnlessAsked) {
  EXPECT_EQ(http({}, "/a?b=c", "http://x/?y")["httpRequestTarget"], "/a?b=c");
  EXPECT_EQ(sql({})["databaseStatement"], "SELECT 'secret'");
  EXPECT_EQ(sql({})["databaseUser"], "anna");
}

TEST(Redact, CutsQueriesOfTargetsAndReferers) {
  const Seen r = http({false, true, false}, "/a?b=c?d", "http://x/y?z");
  EXPECT_EQ(r["httpRequestTarget"], "/a");
  EXPECT_EQ(r["httpReferer"], "http://x/y");
  EXPECT_EQ(http({false, true, false}, "/plain", "r")["httpRequestTarget"], "/plain");
}

TEST(Redact, KeepsStatementsOnlyWithoutTheirLiterals) {
  const Seen r = sql({true, false, false});
  EXPECT_EQ(r.text().find("secret"), std::string::npos);
  EXPECT_EQ(r["databaseStatementDigestText"], "SELECT ?");
  EXPECT_EQ(r["databaseUser"], "anna");
}

TEST(Redact, TakesUserNamesOut) { EXPECT_FALSE(sql({false, false, true}).contains("databaseUser")); }

TEST(Redact, AQueryIsGoneFromWhatThePipelineGivesOut) {
  PipelineOptions o = small_pipeline();
  o.redaction.url_queries = true;
  Connection c;
  c.handshake().client(kAck | kPsh, "GET /a?token=secret HTTP/1.1\r\nHost: h\r\nReferer: http://h/?secret\r\n\r\n");
  c.server(kAck | kPsh, "HTTP/1.1 204 No Content\r\n\r\n").close();
  Probing p(o);
  p.play(c.frames).finish();
  ASSERT_EQ(p.of("http").size(), 1u);
  EXPECT_EQ(p.of("http")[0]["httpRequestTarget"], "/a");
  for (const Seen& r : p.records) EXPECT_EQ(r.text().find("secret"), std::string::npos);
}

Seen sip(const Redaction& what, std::string_view from, std::string_view target) {
  return redacted<"sip">(what, [&](auto& d) {
    d.template set<"sipFrom">(from);
    d.template set<"sipTo">(std::string_view("sip:bob@b.example"));
    d.template set<"sipRequestUri">(target);
    d.template set<"sipCSeq">(std::uint32_t{1});
    d.template set<"sipRequestCount">(std::uint32_t{1});
  });
}

TEST(Redact, TakesUsersOutOfSipUris) {
  const Redaction what{false, false, true};
  const Seen r = sip(what, "sips:anna:secret@a.example;user=phone", "sip:exchange.example");
  EXPECT_EQ(r["sipFrom"], "sips:a.example;user=phone");
  EXPECT_EQ(r["sipTo"], "sip:b.example");
  EXPECT_EQ(r["sipRequestUri"], "sip:exchange.example") << "there is none";
  EXPECT_EQ(sip(what, "tel:+4930123456", "x")["sipFrom"], "tel:");
  EXPECT_EQ(sip(what, "anna@a.example", "x")["sipFrom"], "a.example");
  EXPECT_FALSE(sip(what, "anna", "x").contains("sipFrom"));
  EXPECT_EQ(sip({}, "sip:anna@a.example", "x")["sipFrom"], "sip:anna@a.example");
}

Seen rtsp(const Redaction& what, std::string_view url) {
  return redacted<"rtsp">(what, [&](auto& d) {
    d.template set<"rtspURL">(url);
    d.template set<"rtspLocation">(url);
    d.template set<"rtspCSeq">(std::uint32_t{1});
  });
}

TEST(Redact, TakesUsersAndQueriesOutOfRtspUrls) {
  EXPECT_EQ(rtsp({false, false, true}, "rtsp://anna:secret@c.example/a@b?x=1")["rtspURL"], "rtsp://c.example/a@b?x=1");
  EXPECT_EQ(rtsp({false, false, true}, "rtsp://anna@c.example")["rtspURL"], "rtsp://c.example");
  EXPECT_EQ(rtsp({false, false, true}, "rtsp://c.example/a@b")["rtspURL"], "rtsp://c.example/a@b");
  EXPECT_EQ(rtsp({false, false, true}, "*")["rtspURL"], "*");
  EXPECT_EQ(rtsp({false, true, false}, "rtsp://c.example/a?token=1")["rtspURL"], "rtsp://c.example/a");
}

}  // namespace
}  // namespace probe::test
