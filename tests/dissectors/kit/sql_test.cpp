#include "dissectors/kit/sql.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace probe::sql {
namespace {

std::string normal(std::string_view text, Dialect dialect = Dialect::mysql) {
  std::vector<char> out(text.size() * 4 + 64);
  const Normal n = normalise(text, dialect, out);
  EXPECT_FALSE(n.cut);
  return {out.data(), n.length};
}
std::string postgresql(std::string_view text) { return normal(text, Dialect::postgresql); }
std::uint64_t digest(std::string_view text) { return normalise(text, Dialect::mysql, {}).digest; }
std::string operation(std::string_view text) { return std::string(Operation(text, Dialect::mysql).name()); }

TEST(Sql, ReplacesLiterals) {
  EXPECT_EQ(normal("SELECT id FROM t WHERE a = 17 AND b='x' LIMIT 5"),
            "SELECT id FROM t WHERE a = ? AND b = ? LIMIT ?");
  EXPECT_EQ(normal("SELECT 1.5e-3"), "SELECT ?");
  EXPECT_EQ(normal("SELECT .5, a+.5"), "SELECT ?, a + ?");
  EXPECT_EQ(normal("SELECT 0x4D, 0b01"), "SELECT ?, ...");
  EXPECT_EQ(normal("SELECT X'4D'"), "SELECT ?");
  EXPECT_EQ(normal("SELECT n'abc'"), "SELECT ?");
  EXPECT_EQ(normal("SELECT _utf8mb4 'abc'"), "SELECT ?");
  EXPECT_EQ(normal("SELECT \"it''s\""), "SELECT ?");
  EXPECT_EQ(normal("select ? from t"), "SELECT ? FROM t");
}

TEST(Sql, QuotesWithinStringsDoNotEndThem) {
  EXPECT_EQ(normal("SELECT 'it''s' FROM t"), "SELECT ? FROM t");
  EXPECT_EQ(normal("SELECT 'it\\'s' FROM t"), "SELECT ? FROM t");
  EXPECT_EQ(normal("SELECT 'a\\\\' FROM t"), "SELECT ? FROM t");
  EXPECT_EQ(normal("SELECT 'a' 'b' FROM t"), "SELECT ? FROM t");
}

TEST(Sql, ASignBelongsToANumberWhereAValueMayStand) {
  EXPECT_EQ(normal("SELECT -1"), "SELECT ?");
  EXPECT_EQ(normal("WHERE a = - 1"), "WHERE a = ?");
  EXPECT_EQ(normal("a-1"), "a - ?");
  EXPECT_EQ(normal("(a)-1"), "(a) - ?");
  EXPECT_EQ(normal("a BETWEEN -1 AND +5"), "a BETWEEN ? AND ?");
  EXPECT_EQ(normal("VALUES (-1,+2)"), "VALUES (...)");
  EXPECT_EQ(normal("SELECT -a"), "SELECT - a");
  EXPECT_EQ(normal("1--1"), "? - ?");
}

TEST(Sql, NullIsAValueOnlyWhereOneMayStand) {
  EXPECT_EQ(normal("INSERT INTO t VALUES (NULL, 1, TRUE)"), "INSERT INTO t VALUES (...)");
  EXPECT_EQ(normal("UPDATE t SET a = null"), "UPDATE t SET a = ?");
  EXPECT_EQ(normal("WHERE a is null AND b IS NOT NULL"), "WHERE a IS NULL AND b IS NOT NULL");
  EXPECT_EQ(normal("a INT NOT NULL DEFAULT NULL"), "a INT NOT NULL DEFAULT NULL");
}

TEST(Sql, ListsOfValuesBecomeOne) {
  EXPECT_EQ(normal("a IN (1,2,3)"), "a IN (...)");
  EXPECT_EQ(normal("a in (1)"), "a IN (...)");
  EXPECT_EQ(normal("a IN (SELECT 1)"), "a IN (SELECT ?)");
  EXPECT_EQ(normal("a IN (b, 1)"), "a IN (b, ?)");
  EXPECT_EQ(normal("a IN ((1,2),(3,4))"), "a IN ((...))");
  EXPECT_EQ(normal("SELECT f(1), f(1,2), f()"), "SELECT f (?), f (...), f ()");
  EXPECT_EQ(normal("SELECT 1, 2, 3, a, 4"), "SELECT ?, ..., a, ?");
  EXPECT_EQ(normal("f(1, 2, a)"), "f (?, ..., a)");
  EXPECT_EQ(normal("f((1))"), "f ((?))");
  EXPECT_EQ(normal("f(1,)"), "f (?,)");
}

TEST(Sql, RowsOfValuesBecomeOneWhateverTheirNumber) {
  const std::string one = "INSERT INTO t (a, b) VALUES (...)";
  EXPECT_EQ(normal("INSERT INTO t (a,b) VALUES (1,'x')"), one);
  EXPECT_EQ(normal("INSERT INTO t (a,b) VALUES (1,'x'), (2,'y'),(3,NULL)"), one);
  EXPECT_EQ(normal("VALUES (1),(2) ON DUPLICATE KEY UPDATE a=1"), "VALUES (?) ON DUPLICATE KEY UPDATE a = ?");
  EXPECT_EQ(normal("VALUES (1), (now())"), "VALUES (?), (NOW ())");
  EXPECT_EQ(normal("VALUES (1), 2"), "VALUES (?), ?");
  EXPECT_EQ(normal("VALUES (1), a"), "VALUES (?), a");
  EXPECT_EQ(normal("VALUES (1),"), "VALUES (?),");
  EXPECT_EQ(normal("VALUES (1), (2"), "VALUES (?), (?");
}

TEST(Sql, CommentsAndWhiteSpaceDoNotMatter) {
  EXPECT_EQ(normal("  SELECT\t/* a */ 1 -- b\n , a # c\n FROM t  "), "SELECT ?, a FROM t");
  EXPECT_EQ(normal("SELECT /*+ MAX_EXECUTION_TIME(5) */ a"), "SELECT a");
  EXPECT_EQ(normal("/*!40101 SET NAMES utf8 */;"), "SET NAMES utf8");
  EXPECT_EQ(normal("/*M!100301 SET a=1*/"), "SET a = ?");
  EXPECT_EQ(normal("SELECT 1/* never ends"), "SELECT ?");
  EXPECT_EQ(normal("SELECT 5--x"), "SELECT ? - - x");  // MySQL wants a space behind --
  EXPECT_EQ(normal("/**/SELECT/**/1"), "SELECT ?");
}

TEST(Sql, SpacesAreSetTheSameWay) {
  EXPECT_EQ(normal("select count( * ),a . b from`t`where(x>=1)and y<>2"),
            "SELECT COUNT (*), a.b FROM `t` WHERE (x >= ?) AND y <> ?");
  EXPECT_EQ(normal("SELECT a->'$.b', c->>'$.d'"), "SELECT a -> ?, c ->> ?");
  EXPECT_EQ(normal("SET @a:=1, @@session.x = 'y'"), "SET @a := ?, @@session.x = ?");
  EXPECT_EQ(normal("GRANT ALL ON *.* TO 'u'@'h'"), "GRANT ALL ON *.* TO ? @ ?");
  EXPECT_EQ(normal("SELECT 1; SELECT 2;"), "SELECT ?; SELECT ?");
}

TEST(Sql, KeywordsAreFoldedAndNamesAreNot) {
  EXPECT_EQ(normal("Select Id From Users"), "SELECT Id FROM Users");
  EXPECT_EQ(normal("select `Select` from `From`"), "SELECT `Select` FROM `From`");
  EXPECT_EQ(digest("select a from t"), digest("SELECT a FROM t"));
  EXPECT_NE(digest("select a from t"), digest("SELECT A FROM t"));
}

TEST(Sql, NamesMayBeginOrEndWithDigits) {
  EXPECT_EQ(normal("SELECT 2fa, t1.c2 FROM t.2020"), "SELECT 2fa, t1.c2 FROM t.2020");
  EXPECT_EQ(normal("SELECT 1e5, 1e"), "SELECT ?, 1e");
}

TEST(Sql, PostgresqlHasItsOwnQuotes) {
  EXPECT_EQ(postgresql("SELECT \"Name\" FROM t WHERE a = 'C:\\'"), "SELECT \"Name\" FROM t WHERE a = ?");
  EXPECT_EQ(postgresql("SELECT E'it\\'s', $1"), "SELECT ?, ...");
  EXPECT_EQ(postgresql("SELECT $$it's$$, $q$a $$ b$q$"), "SELECT ?, ...");
  EXPECT_EQ(postgresql("SELECT 1 /* a /* b */ c */ + 2--x"), "SELECT ? + ?");
  EXPECT_EQ(postgresql("SELECT a::int, b @> '{}', c ? 'k'"), "SELECT a :: INT, b @ > ?, c ? ?");
  EXPECT_EQ(postgresql("SELECT U&'d\\0061t' AS x"), "SELECT ? AS x");
  EXPECT_EQ(postgresql("SELECT 5 # 3"), "SELECT ? # ?");
}

TEST(Sql, AQuotedNameWithoutEndIsNotShown) {
  EXPECT_EQ(normal("SELECT `a, 'secret'"), "SELECT ?");
  EXPECT_EQ(postgresql("SELECT \"a, 'secret'"), "SELECT ?");
  EXPECT_EQ(postgresql("SELECT `a, 'secret'"), "SELECT ` a, ?");
}

TEST(Sql, StatementsThatDifferInValuesOnlyHaveTheSameDigest) {
  EXPECT_EQ(digest("SELECT a FROM t WHERE id=5"), digest("select a\n from t where id = 'x' ;"));
  EXPECT_NE(digest("SELECT a FROM t WHERE id=5"), digest("SELECT b FROM t WHERE id=5"));
}

std::uint64_t digest_as_documented(std::string text) {
  const std::uint64_t size = text.size();
  std::uint64_t h = 0;
  const auto absorb = [&h](std::uint64_t w) {
    h = (h ^ w) * 0x9e3779b97f4a7c15;
    h ^= h >> 32;
  };
  text.resize((text.size() + 7) / 8 * 8);
  for (std::size_t i = 0; i < text.size(); i += 8) {
    std::uint64_t w = 0;
    for (std::size_t j = 8; j-- > 0;) w = w << 8 | static_cast<std::uint8_t>(text[i + j]);
    absorb(w);
  }
  absorb(size);
  return h;
}

TEST(Sql, TheDigestIsOfTheWholeTextAlsoOfWhatDidNotFit) {
  for (const std::size_t size : {1u, 7u, 500u, 504u, 505u, 512u, 513u, 3000u}) {
    const std::string text = "SELECT " + std::string(size, 'a') + "b c";
    std::array<char, 100> out;
    const Normal n = normalise(text, Dialect::mysql, out);
    EXPECT_EQ(n.digest, digest_as_documented(text)) << size;
    EXPECT_EQ(n.cut, text.size() > out.size());
    EXPECT_EQ(std::string(out.data(), n.length), text.substr(0, 100));
  }
}

// Digests are kept in data bases of collectors: this value must never change.
TEST(Sql, DigestsAreStable) {
  const auto hex = hexadecimal(digest("SELECT a FROM t WHERE id IN (1, 2)"));
  EXPECT_EQ(std::string(hex.begin(), hex.end()), "d50fd83b88bab51f");
}

TEST(Sql, NormalisingTwiceChangesNothing) {
  for (const std::string text :
       {"SELECT id, name FROM t WHERE a IN (1,2) AND b = 'x' LIMIT 5", "UPDATE t SET a=a+1, b=-2 WHERE c IS NULL",
        "SELECT COUNT(*) FROM a JOIN b ON a.x=b.y GROUP BY 1"})
    EXPECT_EQ(normal(normal(text)), normal(text)) << text;
}

TEST(Sql, EveryPrefixIsTakenWithoutLeavingIt) {
  const std::string text =
      "/*!40101 SELECT*/ 'a\\'', \"b\"\"\", `c``d`, 1.5e+3, 0xff, _utf8'x', U&'y', $t$z$t$, a->>'b' -- c\n #d\n/* e */ "
      "@@f.g;";
  for (std::size_t n = 0; n <= text.size(); ++n) {
    const std::vector<char> exact(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(n));  // for sanitizers
    for (const Dialect d : {Dialect::mysql, Dialect::postgresql}) {
      normal({exact.data(), exact.size()}, d);
      Operation({exact.data(), exact.size()}, d);
    }
  }
}

TEST(Sql, TheOperationIsTheFirstWord) {
  EXPECT_EQ(operation("select 1"), "SELECT");
  EXPECT_EQ(operation(" /* c */ ((select 1) union (select 2))"), "SELECT");
  EXPECT_EQ(operation("-- c\nInsert into t"), "INSERT");
  EXPECT_EQ(operation("/*!40101 SET NAMES utf8 */"), "SET");
  EXPECT_EQ(operation("WITH a AS (SELECT 1) DELETE FROM t"), "WITH");
  EXPECT_EQ(operation(""), "");
  EXPECT_EQ(operation("'x'"), "");
  EXPECT_EQ(operation(std::string(100, 'x')), std::string(32, 'X'));
  EXPECT_EQ(Operation("USE shop", Dialect::mysql).rest(), " shop");
}

}  // namespace
}  // namespace probe::sql
