#include "tests/probe/monitor/exposition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace probe::monitor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Exposition, IsReadWithLabelsAndEscapes) {
  const Exposition e = read_exposition(
      "# HELP a_total One\\nand \\\\ two.\n# TYPE a_total counter\na_total{z=\"\\\"\\n\\\\\",b=\"}\"} 1.5e+06\n"
      "# HELP g G.\n# TYPE g gauge\ng -3\n");
  EXPECT_THAT(e.mistakes, IsEmpty());
  EXPECT_EQ(e.helps.at("a_total"), "One\nand \\ two.");
  EXPECT_EQ(e.values.at("a_total{b=\"}\",z=\"\"\n\\\"}"), 1.5e6);
  EXPECT_EQ(e.values.at("g"), -3);
}

TEST(Exposition, OfAnythingElseIsAMistake) {
  const std::string head = "# HELP a_total A.\n# TYPE a_total counter\n";
  for (const char* bad : {"a_total 1",
                          "a_total 1 \n",
                          "a_total  1\n",
                          "a_total\n",
                          "a_total -1\n",
                          "a_total nan\n",
                          "a_total x\n",
                          "a_total{} 1\na_total 2\n",
                          "a_total{b=\"1\",b=\"1\"} 1\n",
                          "a_total{b=\"1\"} 1\na_total{b=\"1\"} 1\n",
                          "a_total{b=1} 1\n",
                          "a_total{b=\"\\x\"} 1\n",
                          "a_total{b=\"1\" 1\n",
                          "a_total{b=\"1} 1\n",
                          "a_total{0=\"1\"} 1\n",
                          "a_total{__b=\"1\"} 1\n",
                          "a-total 1\n",
                          "b_total 1\n",
                          "# EOF\n",
                          "# HELP a_total A.\n",
                          "# TYPE a_total counter\n",
                          "# HELP b B.\n# TYPE b gauge\nb 1\na_total 1\n",
                          "# HELP b B.\n# TYPE b counter\nb 1\n",
                          "# HELP b B\\.\n",
                          "# TYPE b histogram\n",
                          "# HELP b B.\nb 1\n# TYPE b gauge\n"})
    EXPECT_FALSE(read_exposition(head + bad).mistakes.empty()) << bad;
  EXPECT_THAT(read_exposition(head + "a_total x\n").mistakes, ElementsAre(HasSubstr("no number")));
}

}  // namespace
}  // namespace probe::monitor
