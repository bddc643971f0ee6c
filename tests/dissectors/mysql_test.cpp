#include <gtest/gtest.h>

#include "tests/dissectors/mysql_talk.h"

namespace probe {

namespace {

using namespace test::mysql;
using test::Row;
using namespace std::string_literals;

// ---- Greeting and login ----

TEST(Mysql, ALoginThatSucceedsIsNoRecord) {
  Mysql m;
  EXPECT_TRUE(m.logged_in().rows().empty());
}

TEST(Mysql, EveryRecordSaysWhoAskedWhichServer) {
  Mysql m;
  const Row r = m.logged_in().ask(query("SELECT 1"), result_set(1, 1)).only();
  EXPECT_EQ(r.text("databaseSystem"), "mysql");
  EXPECT_EQ(r.text("databaseServerVersion"), "8.0.35");
  EXPECT_EQ(r.text("databaseUser"), "app");
  EXPECT_EQ(r.text("databaseName"), "shop");
  EXPECT_FALSE(r.is(Quality::mid_stream));
}

TEST(Mysql, MariadbIsToldByItsVersion) {
  Mysql m, n;
  const Row r = m.logged_in(kUsual, "5.5.5-10.6.12-MariaDB").ask(query("SELECT 1"), result_set(1, 1)).only();
  EXPECT_EQ(r.text("databaseSystem"), "mariadb");
  EXPECT_EQ(r.text("databaseServerVersion"), "10.6.12-MariaDB");
  const Row s = n.logged_in(kUsual, "11.4.2-MariaDB-log").ask(query("SELECT 1"), result_set(1, 1)).only();
  EXPECT_EQ(s.text("databaseSystem"), "mariadb");
  EXPECT_EQ(s.text("databaseServerVersion"), "11.4.2-MariaDB-log");
}

TEST(Mysql, ALoginThatFailsIsARecord) {
  Mysql m;
  m.server(greeting());
  m.after(kMillisecond).client(login("eve"));
  m.after(2 * kMillisecond).server(error(2, 1045, "28000", "Access denied for user 'eve'@'h' (using password: YES)"));
  const Row r = m.only();
  EXPECT_EQ(r.text("databaseOperation"), "LOGIN");
  EXPECT_EQ(r.text("databaseUser"), "eve");
  EXPECT_EQ(r.number("databaseErrorCode"), 1045u);
  EXPECT_EQ(r.text("databaseSqlState"), "28000");
  EXPECT_EQ(r.text("databaseErrorMessage"), "Access denied for user 'eve'@'h' (using password: YES)");
  EXPECT_EQ(r.exchange.response_first - r.exchange.request_last, 2 * kMillisecond);
  EXPECT_FALSE(r.has("databaseStatement"));
}

TEST(Mysql, AServerThatRefusesInsteadOfGreetingIsARecord) {
  Mysql m;
  m.server(error(0, 1040, "", "Too many connections"));
  const Row r = m.only();
  EXPECT_EQ(r.text("databaseOperation"), "LOGIN");
  EXPECT_EQ(r.number("databaseErrorCode"), 1040u);
  EXPECT_EQ(r.text("databaseErrorMessage"), "Too many connections");
  EXPECT_EQ(r.exchange.request_first, kNoTime);
}

TEST(Mysql, AuthenticationMayTakeSeveralTurns) {
  Mysql m;
  m.server(greeting()).client(login());
  m.server(packet(2,
                  "\xfe"
                  "caching_sha2_password\0"s +
                      "12345678901234567890"s + "\0"s))
      .client(packet(3, std::string(32, 'h')));
  m.server(packet(4, "\1\4"s)).client(packet(5, "\2"s)).server(packet(6, "\1-----BEGIN PUBLIC KEY-----"s));
  m.client(packet(7, std::string(256, 'k'))).server(ok(8));
  EXPECT_EQ(m.ask(query("SELECT 1"), result_set(1, 1)).only().text("databaseStatement"), "SELECT 1");
}

TEST(Mysql, TheLoginOfOldClientsIsRead) {
  Mysql m;
  m.server(greeting("4.0.30", 0x202c))
      .client(packet(1, le(0x2008 | 4, 2) + le(0xffffff, 3) + "old\0scrambled\0legacy\0"s));
  m.server(packet(2, "\0\0\0\2\0"s));
  const Row r = m.ask(query("UPDATE t SET a=1"), packet(1, "\0\3\0\2\0"s)).only();
  EXPECT_EQ(r.text("databaseUser"), "old");
  EXPECT_EQ(r.text("databaseName"), "legacy");
  EXPECT_EQ(r.number("databaseAffectedRowCount"), 3u);
}

TEST(Mysql, TlsMakesTheSessionOpaque) {
  Mysql m;
  m.server(greeting()).client(packet(1, le(kUsual | kTls, 4) + le(1 << 24, 4) + "\x2d" + std::string(23, '\0')));
  const std::size_t calls = m.calls();
  m.client("\x16\3\1 client hello").server("\x16\3\3 server hello");
  m.client(query("SELECT 1")).server(result_set(1, 1));
  EXPECT_EQ(m.calls(), calls + 1);  // one call for the server's side, to hear that it does not matter
  const Row r = m.only();
  EXPECT_EQ(r.text("databaseOperation"), "LOGIN");
  EXPECT_TRUE(r.is(Quality::opaque));
  EXPECT_FALSE(r.has("databaseUser"));
}

TEST(Mysql, CompressionMakesTheSessionOpaqueOnceLoggedIn) {
  Mysql m;
  m.logged_in(kUsual | kCompress);
  const std::size_t calls = m.calls();
  for (int i = 0; i < 10; ++i) m.client("\x0c\0\0\0\0\0\0 compressed").server("\x0c\0\0\1\0\0\0 compressed");
  EXPECT_LE(m.calls(), calls + 2);
  const Row r = m.only();
  EXPECT_EQ(r.text("databaseOperation"), "LOGIN");
  EXPECT_TRUE(r.is(Quality::opaque));
  EXPECT_EQ(r.text("databaseUser"), "app");
}

TEST(Mysql, CompressionThatTheServerDoesNotOfferIsNone) {
  Mysql m;
  m.server(greeting("8.0.35", kServer & ~kCompress)).client(login("app", "shop", kUsual | kCompress)).server(ok(2));
  EXPECT_EQ(m.ask(query("SELECT 1"), result_set(1, 1)).only().number("databaseRowCount"), 1u);
}

// ---- Queries ----

TEST(Mysql, AQueryHasItsTextDigestOperationRowsAndTimes) {
  Mysql m;
  m.logged_in().after(kMillisecond).client(query("select id from t where id = 5"));
  m.after(3 * kMillisecond).server(packet(1, "\1") + column(2) + eof(3));
  m.after(kMillisecond).server(row(4, {"5"}) + row(5, {"6"}));
  m.after(kMillisecond).server(eof(6));
  const Row r = m.only();
  EXPECT_EQ(r.text("databaseStatement"), "select id from t where id = 5");
  EXPECT_EQ(r.text("databaseStatementDigestText"), "SELECT id FROM t WHERE id = ?");
  EXPECT_EQ(r.text("databaseStatementDigest").size(), 16u);
  EXPECT_EQ(r.text("databaseOperation"), "SELECT");
  EXPECT_EQ(r.number("databaseRowCount"), 2u);
  EXPECT_FALSE(r.has("databaseErrorCode"));
  EXPECT_FALSE(r.has("databaseAffectedRowCount"));
  EXPECT_EQ(r.exchange.response_first - r.exchange.request_last, 3 * kMillisecond);
  EXPECT_EQ(r.exchange.response_last - r.exchange.response_first, 2 * kMillisecond);
  EXPECT_EQ(r.exchange.request_octets, query("select id from t where id = 5").size());
  EXPECT_EQ(r.exchange.response_octets,
            (packet(1, "\1") + column(2) + eof(3) + row(4, {"5"}) + row(5, {"6"}) + eof(6)).size());
  EXPECT_EQ(r.exchange.quality, 0u);
}

TEST(Mysql, AChangeHasItsAffectedRows) {
  Mysql m;
  const Row r = m.logged_in().ask(query("UPDATE t SET a=1"), ok(1, 70000)).only();
  EXPECT_EQ(r.number("databaseAffectedRowCount"), 70000u);
  EXPECT_FALSE(r.has("databaseRowCount"));
}

TEST(Mysql, AnErrorHasItsCodeStateAndMessage) {
  Mysql m;
  const Row r =
      m.logged_in().ask(query("SELECT * FROM x"), error(1, 1146, "42S02", "Table 'shop.x' doesn't exist")).only();
  EXPECT_EQ(r.number("databaseErrorCode"), 1146u);
  EXPECT_EQ(r.text("databaseSqlState"), "42S02");
  EXPECT_EQ(r.text("databaseErrorMessage"), "Table 'shop.x' doesn't exist");
}

TEST(Mysql, AnErrorMayComeAmongTheRows) {
  Mysql m;
  const Row r = m.logged_in()
                    .ask(query("SELECT a FROM t"),
                         packet(1, "\1") + column(2) + eof(3) + row(4, {"x"}) + error(5, 1317, "70100", "killed"))
                    .only();
  EXPECT_EQ(r.number("databaseErrorCode"), 1317u);
  EXPECT_EQ(r.number("databaseRowCount"), 1u);
}

TEST(Mysql, WithoutEofPacketsAnOkPacketEndsTheRows) {
  Mysql m;
  const auto rows = m.logged_in(kUsual | kDeprecateEof)
                        .ask(query("SELECT a FROM t"), result_set(1, 3, 2, false))
                        .ask(query("SELECT b FROM t"), result_set(1, 0, 2, false))
                        .rows();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].number("databaseRowCount"), 3u);
  EXPECT_TRUE(rows[1].has("databaseRowCount"));
  EXPECT_EQ(rows[1].number("databaseRowCount"), 0u);
}

TEST(Mysql, SeveralStatementsInOneQueryAreOneRecord) {
  constexpr int kMore = 0x0a;
  Mysql m;
  const Row r = m.logged_in()
                    .ask(query("SELECT 1; UPDATE t SET a=1; SELECT 2"),
                         result_set(1, 2, kMore) + ok(7, 5, kMore) + result_set(8, 4))
                    .only();
  EXPECT_EQ(r.number("databaseRowCount"), 6u);
  EXPECT_EQ(r.number("databaseAffectedRowCount"), 5u);
}

TEST(Mysql, AnErrorEndsSeveralStatements) {
  Mysql m;
  const auto rows =
      m.logged_in()
          .ask(query("UPDATE t SET a = 1; SELECT x"), ok(1, 7, 0x0a) + error(2, 1054, "42S22", "Unknown column"))
          .ask(query("SELECT 3"), result_set(1, 1))
          .rows();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].number("databaseErrorCode"), 1054u);
  EXPECT_EQ(rows[0].number("databaseAffectedRowCount"), 7u);
  EXPECT_EQ(rows[1].text("databaseStatement"), "SELECT 3");
}

TEST(Mysql, ARowThatBeginsLikeAnEofIsARow) {
  // The first column has 2^24 octets or more: its length is in 8 octets behind 0xfe, and its packet is a longest one.
  const std::string first = "\xfe" + le(1u << 24, 8) + std::string(0xffffff - 9, 'y'), second(10, 'y');
  Mysql m;
  m.logged_in().client(query("SELECT a FROM t"));
  m.server(packet(1, "\1") + column(2) + eof(3)).server(packet(4, first)).server(packet(5, second) + eof(6));
  const Row r = m.only();
  EXPECT_EQ(r.number("databaseRowCount"), 1u);
  EXPECT_GT(r.exchange.response_octets, std::uint64_t{1} << 24);
}

TEST(Mysql, ARequestOf16MebioctetsGoesOnInTheNextPacket) {
  const std::string text = "INSERT INTO t VALUES ('" + std::string((1 << 24) + 100, 'x') + "')";
  const std::string payload = "\3" + text;
  Mysql m;
  m.logged_in().client(packet(0, payload.substr(0, 0xffffff)));
  m.after(5 * kMillisecond).client(packet(1, payload.substr(0xffffff)));
  m.after(kMillisecond).server(ok(2, 1));
  const Row r = m.only();
  EXPECT_EQ(r.text("databaseStatement").substr(0, 30), text.substr(0, 30));
  EXPECT_EQ(r.text("databaseStatementDigestText"), "INSERT INTO t VALUES (?");
  EXPECT_TRUE(r.is(Quality::text_cut));
  EXPECT_EQ(r.exchange.request_octets, payload.size() + 8);
  EXPECT_EQ(r.exchange.request_last - r.exchange.request_first, 5 * kMillisecond);
  EXPECT_EQ(r.exchange.response_first - r.exchange.request_last, kMillisecond);
  EXPECT_LE(m.most_needed(), kMostNeeded);
}

TEST(Mysql, ALongStatementIsCutAndSaysSo) {
  const std::string text = "SELECT '" + std::string(40000, 'x') + "' FROM t";
  Mysql m;
  m.logged_in();
  for (std::size_t i = 0; i < query(text).size(); i += 1000) m.after(kMicrosecond).client(query(text).substr(i, 1000));
  const Nanos sent = m.now();
  m.after(kMillisecond).server(result_set(1, 1));
  const Row r = m.only();
  EXPECT_EQ(r.text("databaseStatement"), text.substr(0, 1024));
  EXPECT_TRUE(r.is(Quality::text_cut));
  EXPECT_EQ(r.exchange.request_last, sent);
  EXPECT_EQ(r.number("databaseRowCount"), 1u);
}

TEST(Mysql, QueryAttributesAreNotPartOfTheText) {
  const std::string none = encoded(0) + encoded(1);
  // Two attributes: the first a text, the second NULL.
  const std::string two = encoded(2) + encoded(1) + "\2\1" + "\xfe\0"s + text("a") + "\x08\0"s + text("b") + text("v");
  for (const std::uint32_t capabilities : {kUsual | kQueryAttributes, 0u}) {
    Mysql m;
    if (capabilities) m.logged_in(capabilities);
    const auto rows =
        m.ask(query(none + "SELECT 1"), result_set(1, 1)).ask(query(two + "SELECT 2"), result_set(1, 1)).rows();
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].text("databaseStatement"), "SELECT 1");
    EXPECT_EQ(rows[1].text("databaseStatement"), "SELECT 2");
  }
}

TEST(Mysql, AFileOfTheClientIsPartOfTheRequest) {
  Mysql m;
  m.logged_in().client(query("LOAD DATA LOCAL INFILE 'f' INTO TABLE t"));
  m.after(kMillisecond)
      .server(packet(1,
                     "\xfb"
                     "f"));
  m.after(kMillisecond).client(packet(2, std::string(100, 'd')) + packet(3, std::string(50, 'd')));
  m.after(kMillisecond).client(packet(4, ""));
  m.after(kMillisecond).server(ok(5, 17));
  m.ask(query("SELECT 1"), result_set(1, 1));
  const auto rows = m.rows();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].text("databaseOperation"), "LOAD");
  EXPECT_EQ(rows[0].number("databaseAffectedRowCount"), 17u);
  EXPECT_EQ(rows[0].exchange.response_first - rows[0].exchange.request_last, kMillisecond);
  EXPECT_GT(rows[0].exchange.request_octets, 150u);
  EXPECT_EQ(rows[1].number("databaseRowCount"), 1u);
}

TEST(Mysql, ReportsOfProgressAreNoErrors) {
  Mysql m;
  m.logged_in(kUsual & ~1u, "5.5.5-10.6.1-MariaDB", 0x1d).client(query("ALTER TABLE t ADD a INT"));
  m.after(kMillisecond).server(packet(1, "\xff\xff\xff\1\1\2\0\0\0\4copy"s));
  m.after(kMillisecond).server(ok(2));
  const Row r = m.only();
  EXPECT_FALSE(r.has("databaseErrorCode"));
  EXPECT_EQ(r.exchange.response_first - r.exchange.request_last, 2 * kMillisecond);
}

// ---- Prepared statements ----

TEST(Mysql, AnExecutionIsAttributedToItsStatement) {
  Mysql m;
  const auto rows = m.logged_in()
                        .ask(prepare("select a from t where b = ?"), prepared(1, 7, 1, 1))
                        .ask(execute(7), result_set(1, 2))
                        .ask(execute(8), result_set(1, 3))
                        .rows();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(operations(rows), (Names{"PREPARE", "SELECT", "STMT_EXECUTE"}));
  EXPECT_EQ(rows[0].text("databaseStatement"), "select a from t where b = ?");
  EXPECT_EQ(rows[1].text("databaseStatement"), "select a from t where b = ?");
  EXPECT_EQ(rows[1].text("databaseStatementDigest"), rows[0].text("databaseStatementDigest"));
  EXPECT_EQ(rows[1].number("databaseRowCount"), 2u);
  EXPECT_FALSE(rows[2].has("databaseStatement"));
  EXPECT_EQ(rows[2].number("databaseRowCount"), 3u);
}

TEST(Mysql, PreparedStatementsEndWithOrWithoutEofPackets) {
  for (const bool eofs : {true, false})
    for (const int parameters : {0, 2})
      for (const int columns : {0, 3}) {
        Mysql m;
        const auto rows = m.logged_in(eofs ? kUsual : kUsual | kDeprecateEof)
                              .ask(prepare("select 1"), prepared(1, 1, columns, parameters, eofs))
                              .ask(execute(1), result_set(1, 2, 2, eofs))
                              .rows();
        ASSERT_EQ(rows.size(), 2u);
        EXPECT_NE(rows[0].exchange.response_last, kNoTime);
        EXPECT_EQ(rows[0].exchange.response_octets, prepared(1, 1, columns, parameters, eofs).size());
        EXPECT_EQ(rows[1].number("databaseRowCount"), 2u);
        EXPECT_EQ(rows[1].exchange.quality, 0u);
      }
}

TEST(Mysql, ALongPreparedStatementKeepsItsDigest) {
  const std::string text = "select " + std::string(2000, 'c') + " from t";
  Mysql m;
  const auto rows = m.logged_in().ask(prepare(text), prepared(1, 1, 1, 0)).ask(execute(1), result_set(1, 1)).rows();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1].text("databaseStatementDigest"), rows[0].text("databaseStatementDigest"));
  EXPECT_TRUE(rows[1].is(Quality::text_cut));
}

TEST(Mysql, StatementsAreForgottenWhenTheyAreClosed) {
  for (const std::string& end : {command(0x19, le(1, 4)), command(0x1f), command(0x11, "u\0\0db\0"s)}) {
    Mysql m;
    m.logged_in().ask(prepare("select 1"), prepared(1, 1, 1, 0));
    m.client(end);
    if (end != command(0x19, le(1, 4))) m.server(ok(1));
    m.ask(execute(1), result_set(1, 1));
    EXPECT_EQ(m.rows().back().text("databaseOperation"), "STMT_EXECUTE");
  }
}

TEST(Mysql, ManyStatementsTakeBoundedMemoryAndAreGivenBack) {
  Mysql m;
  m.logged_in();
  for (std::uint32_t i = 1; i <= 1000; ++i) m.ask(prepare("select " + std::to_string(i)), prepared(1, i, 0, 0));
  EXPECT_LE(m.records().notes().in_use(), 64u);
  m.finish();
  EXPECT_EQ(m.records().notes().in_use(), 0u);
  EXPECT_EQ(m.records().in_use(), 0u);
}

TEST(Mysql, CommandsWithoutAnswerAreNoRecords) {
  Mysql m;
  m.logged_in().ask(prepare("update t set a=?"), prepared(1, 1, 0, 1));
  m.client(command(0x18, le(1, 4) + le(0, 2) + std::string(20000, 'b')));
  m.ask(execute(1), ok(1, 1)).client(command(0x19, le(1, 4)));
  m.client(command(0x01));
  EXPECT_EQ(operations(m.rows()), (Names{"PREPARE", "UPDATE"}));
}

TEST(Mysql, ACursorIsFetchedFrom) {
  constexpr int kCursor = 0x42, kLast = 0x82;
  Mysql m;
  m.logged_in().ask(prepare("select a from t"), prepared(1, 1, 1, 0));
  m.ask(command(0x17, le(1, 4) + "\1" + le(1, 4)), packet(1, "\1") + column(2) + eof(3, kCursor));
  m.ask(command(0x1c, le(1, 4) + le(2, 4)), packet(1, "\0\0a"s) + packet(2, "\0\0b"s) + eof(3, kCursor));
  m.ask(command(0x1c, le(1, 4) + le(2, 4)), packet(1, "\0\0c"s) + eof(2, kLast));
  m.ask(command(0x1a, le(1, 4)), ok(1));
  const auto rows = m.rows();
  EXPECT_EQ(operations(rows), (Names{"PREPARE", "SELECT", "STMT_FETCH", "STMT_FETCH", "STMT_RESET"}));
  EXPECT_EQ(rows[1].number("databaseRowCount"), 0u);
  EXPECT_EQ(rows[2].number("databaseRowCount"), 2u);
  EXPECT_EQ(rows[3].number("databaseRowCount"), 1u);
}

TEST(Mysql, MariadbClientsMayExecuteWhatTheyHaveJustPrepared) {
  constexpr std::uint32_t kLastPrepared = 0xffffffff;
  Mysql m;
  m.logged_in(kUsual & ~1u, "5.5.5-10.11.6-MariaDB", 0x1d);
  m.client(prepare("select 7") + execute(kLastPrepared));
  m.after(kMillisecond).server(prepared(1, 9, 1, 0));
  m.after(kMillisecond).server(packet(1, "\1\1") + column(2) + eof(3) + packet(4, "\0\0\7"s) + eof(5));
  m.ask(execute(kLastPrepared), packet(1, "\1\0"s) + eof(2) + packet(3, "\0\0\7"s) + eof(4));
  const auto rows = m.rows();
  ASSERT_EQ(operations(rows), (Names{"PREPARE", "SELECT", "SELECT"}));
  EXPECT_FALSE(rows[0].is(Quality::pipelined));
  EXPECT_TRUE(rows[1].is(Quality::pipelined));
  EXPECT_EQ(rows[1].number("databaseRowCount"), 1u);
  EXPECT_EQ(rows[2].number("databaseRowCount"), 1u);
  EXPECT_EQ(rows[1].exchange.response_first - rows[0].exchange.response_first, kMillisecond);
}

TEST(Mysql, MetadataThatTheClientHasAreNotSentAgain) {
  for (const bool eofs : {true, false}) {
    Mysql m;
    m.logged_in((kUsual & ~1u) | (eofs ? 0 : kDeprecateEof), "5.5.5-10.11.6-MariaDB", 0x1d);
    m.ask(prepare("select a"), prepared(1, 1, 1, 0, eofs));
    const std::string rows = eofs ? eof(2) + packet(3, "\0\0x"s) + eof(4) : packet(2, "\0\0x"s) + ok(3, 0, 2, 0xfe);
    EXPECT_EQ(m.ask(execute(1), packet(1, "\1\0"s) + rows).rows().back().number("databaseRowCount"), 1u);
  }
}

// ---- Other commands ----

TEST(Mysql, TheSchemaInUseFollowsTheCommands) {
  Mysql m;
  const auto rows = m.logged_in()
                        .ask(command(0x02, "one"), ok(1))
                        .ask(query("SELECT 1"), result_set(1, 1))
                        .ask(query("USE `two`;"), ok(1))
                        .ask(query("use nowhere"), error(1, 1049, "42000", "Unknown database"))
                        .ask(query("SELECT 2"), result_set(1, 1))
                        .ask(command(0x11, "other\0\0three\0"s), ok(1))
                        .ask(query("SELECT 3"), result_set(1, 1))
                        .rows();
  ASSERT_EQ(operations(rows), (Names{"INIT_DB", "SELECT", "USE", "USE", "SELECT", "CHANGE_USER", "SELECT"}));
  EXPECT_EQ(rows[1].text("databaseName"), "one");
  EXPECT_EQ(rows[3].text("databaseName"), "two");
  EXPECT_EQ(rows[4].text("databaseName"), "two");
  EXPECT_EQ(rows[6].text("databaseName"), "three");
  EXPECT_EQ(rows[6].text("databaseUser"), "other");
  EXPECT_FALSE(rows[0].has("databaseStatement"));
}

TEST(Mysql, ASchemaThatFoundNoRoomIsUnknownAndNotTheOneOfBefore) {
  Mysql m;
  m.logged_in().ask(command(0x02, "one"), ok(1)).ask(query("SELECT 1"), result_set(1, 1));
  std::vector<void*> pages;
  while (void* page = m.records().notes().take_page()) pages.push_back(page);
  const auto rows = m.ask(query("USE two"), ok(1)).ask(query("SELECT 2"), result_set(1, 1)).rows();
  for (void* page : pages) m.records().notes().give_page(page);
  ASSERT_EQ(operations(rows), (Names{"INIT_DB", "SELECT", "USE", "SELECT"}));
  EXPECT_EQ(rows[1].text("databaseName"), "one");
  EXPECT_FALSE(rows[2].has("databaseName"));
  EXPECT_FALSE(rows[3].has("databaseName"));
}

TEST(Mysql, EveryCommandHasItsKindOfAnswer) {
  Mysql m;
  m.logged_in()
      .ask(command(0x0e), ok(1))
      .ask(command(0x09), packet(1, "Uptime: 62  Threads: 1"))
      .ask(command(0x04, "t\0"s), column(1) + column(2) + eof(3))
      .ask(command(0x1b, le(0, 2)), eof(1))
      .ask(command(0x0a), result_set(1, 2))
      .ask(command(0x0d), eof(1))
      .ask(command(0x1f), ok(1))
      .ask(command(0x0c, le(5, 4)), error(1, 1094, "HY000", "Unknown thread id"))
      .ask(query("SELECT 1"), result_set(1, 1));
  const auto rows = m.rows();
  EXPECT_EQ(operations(rows), (Names{"PING", "STATISTICS", "FIELD_LIST", "SET_OPTION", "PROCESS_INFO", "DEBUG",
                                     "RESET_CONNECTION", "PROCESS_KILL", "SELECT"}));
  for (const Row& r : rows) EXPECT_NE(r.exchange.response_last, kNoTime);
  EXPECT_EQ(rows[7].number("databaseErrorCode"), 1094u);
}

TEST(Mysql, ChangingTheUserMayAskForAuthentication) {
  Mysql m;
  m.logged_in().client(command(0x11, "u\0\0d\0"s)).server(packet(1, "\xfemysql_native_password\0"s + "salt"));
  m.client(packet(2, std::string(20, 'p'))).server(ok(3));
  m.ask(query("SELECT 1"), result_set(1, 1));
  EXPECT_EQ(operations(m.rows()), (Names{"CHANGE_USER", "SELECT"}));
}

TEST(Mysql, AReplicaReadsAStreamWithoutEnd) {
  Mysql m;
  m.logged_in().ask(command(0x12, le(4, 4) + le(0, 2) + le(2, 4) + "bin.1"), packet(1, "\0event"s));
  const std::size_t calls = m.calls();
  for (int i = 2; i < 100; ++i) m.server(packet(i, "\0event"s));
  EXPECT_LE(m.calls(), calls + 1);
  const Row r = m.only();
  EXPECT_EQ(r.text("databaseOperation"), "BINLOG_DUMP");
  EXPECT_TRUE(r.is(Quality::opaque));
  EXPECT_EQ(r.exchange.response_last, kNoTime);
}

TEST(Mysql, MoreCommandsThanAreRememberedAreAnsweredInOrder) {
  Mysql m;
  m.logged_in();
  for (int i = 0; i < 20; ++i) m.client(query("SELECT " + std::to_string(i)));
  for (int i = 0; i < 20; ++i) m.server(result_set(1, i));
  m.ask(query("SELECT 99"), result_set(1, 99));
  const auto rows = m.rows();
  ASSERT_EQ(rows.size(), 9u);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(rows[i].number("databaseRowCount"), i);
  EXPECT_EQ(rows[8].number("databaseRowCount"), 99u);
}

}  // namespace
}  // namespace probe
