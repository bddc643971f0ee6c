// What the dissector makes of conversations that are cut, begin in the middle, or have holes.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "dissectors/kit/mysql_guess.h"
#include "tests/dissectors/mysql_talk.h"

namespace probe {
namespace {

using namespace test::mysql;
using test::Row;
using namespace std::string_literals;

struct Said {
  Side from;
  std::string octets;
};

// One of everything.
std::vector<Said> conversation() {
  std::vector<Said> out = {{Side::server, greeting("5.5.5-10.6.1-MariaDB", kServer & ~1u, 0x1d)},
                           {Side::client, login("app", "shop", kUsual & ~1u, 0x1d)},
                           {Side::server, ok(2)}};
  const auto ask = [&out](const std::string& request, const std::string& response) {
    out.push_back({Side::client, request});
    out.push_back({Side::server, response});
  };
  ask(query("SELECT a FROM t WHERE b = 'x'"), result_set(1, 5));
  ask(query("UPDATE t SET a = 1"), ok(1, 3));
  ask(prepare("select a from t where b = ?"), prepared(1, 1, 1, 1));
  ask(execute(1), result_set(1, 2));
  ask(query("SELECT 1; SELECT 2"), result_set(1, 1, 0x0a) + result_set(6, 2));
  ask(query("SELECT x"), error(1, 1054, "42S22", "Unknown column 'x'"));
  ask(command(0x02, "other"), ok(1));
  ask(query("LOAD DATA LOCAL INFILE 'f' INTO TABLE t"), packet(1,
                                                               "\xfb"
                                                               "f"));
  ask(packet(2, "a line\n") + packet(3, ""), ok(4, 1));
  ask(command(0x09), packet(1, "Uptime: 1"));
  out.push_back({Side::client, command(0x19, le(1, 4))});
  ask(command(0x0e), ok(1));
  out.push_back({Side::client, command(0x01)});
  return out;
}

// Each message in pieces whose ends `cuts` tells.
template <class Cuts>
std::vector<Row> cut(const std::vector<Said>& said, Cuts cuts) {
  Mysql m;
  for (const Said& s : said) {
    m.after(kMillisecond);
    std::size_t at = 0;
    while (at < s.octets.size()) {
      const std::size_t n = std::clamp<std::size_t>(cuts(s.octets.size() - at), 1, s.octets.size() - at);
      m.say(s.from, s.octets.substr(at, n));
      at += n;
    }
  }
  EXPECT_FALSE(m.given_up());
  return m.rows();
}

TEST(MysqlLoss, TheWholeConversationComesOut) {
  const auto rows = cut(conversation(), [](std::size_t n) { return n; });
  EXPECT_EQ(operations(rows), (Names{"SELECT", "UPDATE", "PREPARE", "SELECT", "SELECT", "SELECT", "INIT_DB", "LOAD",
                                     "STATISTICS", "PING"}));
  for (const Row& r : rows) {
    EXPECT_EQ(r.exchange.quality, 0u);
    EXPECT_EQ(r.exchange.response_first - r.exchange.request_last, kMillisecond);
  }
}

TEST(MysqlLoss, HoweverTheStreamsAreCutTheRecordsAreTheSame) {
  const auto said = conversation();
  const auto whole = cut(said, [](std::size_t n) { return n; });
  EXPECT_EQ(cut(said, [](std::size_t) { return 1; }), whole);
  for (std::size_t first = 1; first < 200; ++first) {
    bool begun = false;
    EXPECT_EQ(cut(said, [&](std::size_t n) { return std::exchange(begun, !begun) ? n : first; }), whole) << first;
  }
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) EXPECT_EQ(cut(said, [&](std::size_t) { return 1 + random() % 40; }), whole);
}

TEST(MysqlLoss, EveryPrefixEndsWithoutLosingMemory) {
  const auto said = conversation();
  for (std::size_t n = 0; n < said.size(); ++n)
    for (std::size_t octets = 0; octets <= said[n].octets.size(); ++octets) {
      Mysql m;
      for (std::size_t i = 0; i < n; ++i) m.say(said[i].from, said[i].octets);
      m.say(said[n].from, said[n].octets.substr(0, octets));
      m.end(Side::client).end(Side::server);
      m.finish();
      EXPECT_EQ(m.records().in_use(), 0u);
      EXPECT_EQ(m.records().notes().in_use(), 0u);
    }
}

// Loses octets of one message; what comes two commands later must be right again.
TEST(MysqlLoss, AHoleAnywhereLeavesLaterCommandsWhole) {
  const auto said = conversation();
  for (std::size_t n = 0; n < said.size(); ++n)
    for (std::size_t from = 0; from < said[n].octets.size(); from += 3)
      for (const std::size_t octets : {std::size_t{1}, std::size_t{7}, said[n].octets.size() - from}) {
        const std::size_t lost = std::min(octets, said[n].octets.size() - from);
        Mysql m;
        for (std::size_t i = 0; i < said.size() - 1; ++i) {
          m.after(kMillisecond);
          if (i != n) {
            m.say(said[i].from, said[i].octets);
            continue;
          }
          m.say(said[i].from, said[i].octets.substr(0, from));
          m.lose(said[i].from, lost);
          m.say(said[i].from, said[i].octets.substr(from + lost));
        }
        m.ask(query("SELECT 'last but one'"), result_set(1, 1)).ask(query("SELECT 'last'"), result_set(1, 2));
        const auto rows = m.rows();
        ASSERT_FALSE(rows.empty());
        EXPECT_EQ(rows.back().text("databaseStatement"), "SELECT 'last'") << n << ' ' << from << ' ' << octets;
        EXPECT_EQ(rows.back().number("databaseRowCount"), 2u) << n << ' ' << from << ' ' << octets;
        EXPECT_EQ(rows.back().exchange.response_first - rows.back().exchange.request_last, kMillisecond);
        EXPECT_LE(rows.size(), 13u);
      }
}

TEST(MysqlLoss, WhatAHoleTookIsNotMadeUp) {
  Mysql m;
  m.logged_in().client(query("SELECT a FROM t"));
  m.after(kMillisecond).server(result_set(1, 5).substr(0, 60));
  m.lose(Side::server, 30).server("the rest");
  m.ask(query("SELECT 2"), result_set(1, 1));
  const auto rows = m.rows();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].text("databaseStatement"), "SELECT a FROM t");
  EXPECT_TRUE(rows[0].is(Quality::stream_gap));
  EXPECT_TRUE(rows[0].is(Quality::half_transaction));
  EXPECT_FALSE(rows[0].has("databaseRowCount"));
  EXPECT_NE(rows[0].exchange.response_first, kNoTime);
  EXPECT_EQ(rows[0].exchange.response_octets, 60u + 30 + 8);
  EXPECT_EQ(rows[1].exchange.quality, 0u);
}

TEST(MysqlLoss, OfAStatementWithAHoleTheBeginningIsKept) {
  const std::string text = "SELECT a FROM t WHERE b = '" + std::string(3000, 'x') + "'";
  for (const bool prepared_one : {false, true}) {
    const std::string request = prepared_one ? prepare(text) : query(text);
    Mysql m;
    m.logged_in().client(request.substr(0, 100));
    m.lose(Side::client, 1000).client(request.substr(1100));
    m.after(kMillisecond).server(prepared_one ? prepared(1, 1, 1, 0) : result_set(1, 2));
    if (prepared_one) m.ask(execute(1), result_set(1, 1));
    m.ask(query("SELECT 2"), result_set(1, 1));
    const auto rows = m.rows();
    ASSERT_EQ(rows.size(), prepared_one ? 3u : 2u);
    EXPECT_EQ(rows[0].text("databaseStatement"), text.substr(0, 95));
    EXPECT_EQ(rows[0].text("databaseOperation"), prepared_one ? "PREPARE" : "SELECT");
    EXPECT_FALSE(rows[0].has("databaseStatementDigest"));
    EXPECT_TRUE(rows[0].is(Quality::text_cut));
    EXPECT_TRUE(rows[0].is(Quality::stream_gap));
    EXPECT_NE(rows[0].exchange.response_last, kNoTime);
    EXPECT_EQ(rows[0].exchange.request_octets, request.size());
    EXPECT_EQ(rows.back().text("databaseStatement"), "SELECT 2");
    EXPECT_EQ(rows.back().exchange.quality, 0u);
    if (!prepared_one) continue;
    EXPECT_EQ(rows[1].text("databaseStatement"), text.substr(0, 95));
    EXPECT_FALSE(rows[1].has("databaseStatementDigest"));
  }
}

TEST(MysqlLoss, ALongFirstCommandInTheMiddleIsTakenWhole) {
  const std::string text = "SELECT a FROM t WHERE b IN (1" + std::string(500, ' ') + ",2)";
  Mysql m;
  m.client(query(text).substr(0, 300)).client(query(text).substr(300)).server(result_set(1, 2));
  const Row r = m.only();
  EXPECT_EQ(r.text("databaseStatement"), text);
  EXPECT_EQ(r.exchange.quality, bit_of(Quality::mid_stream));
}

TEST(MysqlLoss, AHoleWithinALongRowIsHarmless) {
  const std::string rows = row(4, {std::string(5000, 'x')}) + eof(5);
  Mysql m;
  m.logged_in().client(query("SELECT a FROM t"));
  m.server(packet(1, "\1") + column(2) + eof(3)).server(rows.substr(0, 1000));
  m.lose(Side::server, 2000).server(rows.substr(3000));
  const Row r = m.only();
  EXPECT_EQ(r.number("databaseRowCount"), 1u);
  EXPECT_EQ(r.exchange.quality, 0u);
}

TEST(MysqlLoss, AStartInTheMiddleFindsTheNextCommand) {
  for (const bool eofs : {true, false}) {
    Mysql m;
    m.server(row(17, {"the end", "of a result"}) + (eofs ? eof(18) : ok(18, 0, 2, 0xfe)));
    m.ask(query("SELECT a FROM t"), result_set(1, 3, 2, eofs));
    m.ask(query("SELECT b FROM t"), result_set(1, 0, 2, eofs));
    m.ask(prepare("SELECT c"), prepared(1, 1, 1, 1, eofs)).ask(execute(1), result_set(1, 4, 2, eofs));
    const auto rows = m.rows();
    ASSERT_EQ(rows.size(), 4u);
    for (const Row& r : rows) EXPECT_EQ(r.exchange.quality, bit_of(Quality::mid_stream));
    EXPECT_EQ(rows[0].number("databaseRowCount"), 3u);
    EXPECT_EQ(rows[1].number("databaseRowCount"), 0u);
    EXPECT_EQ(rows[3].number("databaseRowCount"), 4u);
    EXPECT_EQ(rows[3].text("databaseStatement"), "SELECT c");
    EXPECT_EQ(rows[0].text("databaseSystem"), "mysql");
    EXPECT_FALSE(rows[0].has("databaseUser"));
  }
}

TEST(MysqlLoss, AStartWithTheLoginKnowsTheUser) {
  Mysql m;
  m.client(login("late")).server(ok(2));
  EXPECT_EQ(m.ask(query("SELECT 1"), result_set(1, 1)).only().text("databaseUser"), "late");
}

TEST(MysqlLoss, WithoutTheServerTheCommandsStillComeOut) {
  Mysql m;
  m.client(login());
  for (int i = 0; i < 30; ++i) m.after(kMillisecond).client(query("SELECT " + std::to_string(i)));
  const auto rows = m.rows();
  ASSERT_EQ(rows.size(), 30u);
  for (const Row& r : rows) {
    EXPECT_TRUE(r.is(Quality::half_transaction));
    EXPECT_EQ(r.exchange.response_first, kNoTime);
    EXPECT_NE(r.exchange.request_first, kNoTime);
  }
}

TEST(MysqlLoss, WithoutTheClientNothingIsMadeUp) {
  Mysql m;
  m.server(greeting()).server(ok(2)).server(result_set(1, 5)).server(error(1, 1054, "42S22", "x"));
  EXPECT_TRUE(m.rows().empty());
}

TEST(MysqlLoss, WhatIsNotAnsweredAtTheEndIsARecordWithoutAnswer) {
  Mysql m;
  const Row r = (m.logged_in().client(query("SELECT SLEEP(100)")), m.only());
  EXPECT_EQ(r.text("databaseStatement"), "SELECT SLEEP(100)");
  EXPECT_TRUE(r.is(Quality::half_transaction));
  EXPECT_EQ(r.exchange.response_first, kNoTime);
}

TEST(MysqlLoss, AServerThatClosesAnIdleSessionAnswersNothing) {
  Mysql m;
  m.logged_in().ask(query("SELECT 1"), result_set(1, 1));
  m.server(error(0, 4031, "HY000", "The client was disconnected by the server because of inactivity."));
  EXPECT_EQ(m.rows().size(), 1u);
}

TEST(MysqlLoss, NoOctetsOfTheServerDoHarm) {
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    Mysql m;
    if (i % 3) m.logged_in(i % 2 ? kUsual : kUsual | kDeprecateEof);
    for (int k = 0; k < 6 && !m.given_up(); ++k) {
      m.client(query("SELECT 1"));
      std::string s = result_set(1, 3);
      for (int flips = 0; flips < 4; ++flips) s[random() % s.size()] = static_cast<char>(random());
      m.server(s);
    }
    m.finish();
    EXPECT_EQ(m.records().in_use(), 0u);
    EXPECT_EQ(m.records().notes().in_use(), 0u);
  }
}

// ---- Guesses ----

Guess guess(const std::string& s) { return mysql::guess(as_bytes(s)); }

TEST(MysqlGuess, KnowsTheFirstWordsOfEitherSide) {
  EXPECT_EQ(guess(greeting()), Guess::from_server);
  EXPECT_EQ(guess(greeting("5.5.5-10.11.6-MariaDB-log")), Guess::from_server);
  EXPECT_EQ(guess(error(0, 1040, "", "Too many connections")), Guess::from_server);
  EXPECT_EQ(guess(error(0, 1130, "HY000", "Host 'x' is not allowed")), Guess::from_server);
  EXPECT_EQ(guess(login()), Guess::from_client);
}

TEST(MysqlGuess, KnowsTheMiddleOfAConversation) {
  EXPECT_EQ(guess(query("select 1")), Guess::from_client);
  EXPECT_EQ(guess(query("\0\1"s + "SELECT 1")), Guess::from_client);
  EXPECT_EQ(guess(prepare("INSERT INTO t VALUES (?)")), Guess::from_client);
  EXPECT_EQ(guess(execute(5)), Guess::from_client);
  EXPECT_EQ(guess(result_set(1, 3)), Guess::from_server);
  EXPECT_EQ(guess(error(1, 1146, "42S02", "no table")), Guess::from_server);
  EXPECT_EQ(guess(command(0x0e) + query("SELECT 1")), Guess::maybe);
}

TEST(MysqlGuess, APrefixIsNeverANo) {
  for (const std::string& s : {greeting(), query("SELECT 1"), execute(1)})
    for (std::size_t n = 0; n < s.size(); ++n) EXPECT_NE(guess(s.substr(0, n)), Guess::no) << n;
}

TEST(MysqlGuess, OtherProtocolsAreNotOurs) {
  for (const std::string& s :
       {"GET / HTTP/1.1\r\nHost: x\r\n\r\n"s, "HTTP/1.1 200 OK\r\n\r\n"s, "SSH-2.0-OpenSSH_9.2\r\n"s,
        "220 mail ESMTP\r\n"s, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s + std::string(200, 'r'),  // TLS
        "\x00\x1d\xab\xcd\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01"s
        "x\0\0\1\0\1"s,                           // DNS over TCP
        "\x05\x00\x00\x00\x0b\x08\x05\x1a\x00"s,  // MySQL X, notice
        "\x01\x00\x00\x00\x01"s,                  // MySQL X, capabilities
        "\x00\x00\x00\x08\x04\xd2\x16\x2f"s,      // PostgreSQL, TLS request
        "*1\r\n$4\r\nPING\r\n"s, "\x12\x01\x00\x34\x00\x00\x00\x00"s + std::string(44, '\1')}) {
    EXPECT_TRUE(guess(s) == Guess::no || guess(s) == Guess::maybe) << s;
    EXPECT_TRUE(s.size() < 12 || guess(s) == Guess::no) << s;
  }
}

}  // namespace
}  // namespace probe
