#include "dissectors/kit/mysql_statements.h"

#include <gtest/gtest.h>

#include <string>

namespace probe::mysql {
namespace {

TEST(MysqlStatements, AreFoundByTheirNumber) {
  Notebook notes(16);
  Statements s;
  s.put(notes, 5, Statement{17, false, "select 5"}.keep(notes));
  ASSERT_NE(s.find(5), nullptr);
  EXPECT_EQ(Statement::read(s.find(5)).text, "select 5");
  EXPECT_EQ(Statement::read(s.find(5)).digest, 17u);
  EXPECT_EQ(s.find(6), nullptr);
  EXPECT_EQ(s.find(5 + Statements::kMost), nullptr);
  s.drop(notes, 5);
  EXPECT_EQ(s.find(5), nullptr);
  s.clear(notes);
  EXPECT_EQ(notes.in_use(), 0u);
}

TEST(MysqlStatements, ANewerOneTakesThePlaceOfTheOldest) {
  Notebook notes(1000);
  Statements s;
  for (std::uint32_t i = 1; i <= 3 * Statements::kMost; ++i) s.put(notes, i, Statement{i, false, "x"}.keep(notes));
  EXPECT_EQ(notes.in_use(), Statements::kMost + Statements::kPages);
  EXPECT_EQ(s.find(2 * Statements::kMost), nullptr);
  for (std::uint32_t i = 2 * Statements::kMost + 1; i <= 3 * Statements::kMost; ++i)
    EXPECT_EQ(Statement::read(s.find(i)).digest, i);
  s.clear(notes);
  EXPECT_EQ(notes.in_use(), 0u);
}

TEST(MysqlStatements, WithoutMemoryNothingIsRemembered) {
  Notebook none(0), one(1);
  Statements s;
  EXPECT_EQ((Statement{1, false, "x"}.keep(none)), nullptr);
  s.put(one, 1, Statement{1, false, "x"}.keep(one));  // no page for the places
  EXPECT_EQ(s.find(1), nullptr);
  EXPECT_EQ(one.in_use(), 0u);
}

TEST(MysqlStatements, SayIfTheyAreCut) {
  Notebook notes(2);
  Notebook::Note a = Statement{1, false, std::string(Statement::kMostKept, 'x')}.keep(notes);
  Notebook::Note b = Statement{1, false, std::string(Statement::kMostKept + 1, 'x')}.keep(notes);
  EXPECT_FALSE(Statement::read(a).cut);
  EXPECT_TRUE(Statement::read(b).cut);
  EXPECT_EQ(Statement::read(b).text.size(), Statement::kMostKept);
}

}  // namespace
}  // namespace probe::mysql
