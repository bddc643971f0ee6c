#include "exporter/text/table.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace probe {
namespace {

std::string printed(const Table& t, std::size_t width) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* file = open_memstream(&text, &size);
  t.print(file, width);
  std::fclose(file);
  std::string out(text, size);
  std::free(text);
  return out;
}

TEST(Table, ColumnsAreAsWideAsTheyNeedAndNumbersStandToTheRight) {
  Table t({{"name"}, {"count", true}, {"more"}});
  t.add({"a", "5", "x"});
  t.add({"longer name", "1234567", "y"});
  EXPECT_EQ(printed(t, 80),
            "name           count  more\n"
            "a                  5  x\n"
            "longer name  1234567  y\n");
}

TEST(Table, TheWidestTextGivesWay) {
  Table t({{"short"}, {"statement"}, {"n", true}});
  t.add({"abc", "SELECT a FROM b WHERE c = d AND e = f", "12"});
  EXPECT_EQ(printed(t, 30),
            "short  statement             n\n"
            "abc    SELECT a FROM b WH…  12\n");
}

TEST(Table, NumbersAreNeverCut) {
  Table t({{"text"}, {"number", true}});
  t.add({"a text that is long enough", "12345678901234567890"});
  const std::string out = printed(t, 10);
  EXPECT_NE(out.find("12345678901234567890"), std::string::npos);
  EXPECT_NE(out.find("a text that…"), std::string::npos) << "12 characters stay, however narrow it is";
}

TEST(Table, CountsCharactersAndNotOctets) {
  Table t({{"name"}, {"next"}});
  t.add({"\xc3\xa4\xc3\xb6\xc3\xbc", "x"});
  t.add({"abcd", "y"});
  EXPECT_EQ(printed(t, 80), "name  next\n\xc3\xa4\xc3\xb6\xc3\xbc   x\nabcd  y\n");
}

TEST(Table, NothingMovesTheCursor) {
  Table t({{"text"}});
  t.add({"a\nb\tc\x1b[2Jd\x7f"});
  EXPECT_EQ(printed(t, 80), "text\na b c [2Jd \n");
}

TEST(Table, AFileIsNoTerminal) {
  std::FILE* file = std::tmpfile();
  EXPECT_EQ(terminal_width(file), 160u);
  std::fclose(file);
}

}  // namespace
}  // namespace probe
