#include "exporter/record/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace probe {
namespace {

std::string copied(std::string_view from, std::size_t room = 100) {
  std::string out(room, '!');
  out.resize(copy_utf8(reinterpret_cast<std::uint8_t*>(out.data()), room, from));
  return out;
}

TEST(Utf8, KeepsValidText) {
  for (const char* s :
       {"", "plain", "a longer plain text", "gr\xc3\xbc\xc3\x9f", "\xe2\x82\xac", "\xf0\x9f\x98\x80 ok"})
    EXPECT_EQ(copied(s), s);
}

TEST(Utf8, ReplacesWhatIsNotValid) {
  EXPECT_EQ(copied("a\xff"
                   "b"),
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(copied("\xc0\x80"), "\xef\xbf\xbd\xef\xbf\xbd");                  // overlong NUL
  EXPECT_EQ(copied("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");  // surrogate
  EXPECT_EQ(copied("x\xe2\x82"), "x\xef\xbf\xbd\xef\xbf\xbd");                // cut character
  EXPECT_EQ(copied("\xf5\x80\x80\x80").size(), 12u);
}

TEST(Utf8, CutsBetweenCharacters) {
  EXPECT_EQ(copied("abcdefghij", 4), "abcd");
  EXPECT_EQ(copied("ab\xe2\x82\xac", 4), "ab");
  EXPECT_EQ(copied("ab\xff", 4), "ab");
  EXPECT_EQ(copied("abc", 0), "");
}

}  // namespace
}  // namespace probe
