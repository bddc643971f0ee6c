#include "probe/run/options.h"

#include <gtest/gtest.h>

#include "probe/run/config.h"
#include "probe/run/nearest.h"

namespace probe::run {
namespace {

TEST(Duration, IsReadWithItsUnit) {
  Nanos n = 0;
  EXPECT_TRUE(parse_duration("250ms", n));
  EXPECT_EQ(n, 250 * kMillisecond);
  EXPECT_TRUE(parse_duration("5m", n));
  EXPECT_EQ(n, 300 * kSecond);
  for (const char* wrong : {"", "5", "m", "-1s", "1.5s", "1 s", "9999999999999h", "5mm"})
    EXPECT_FALSE(parse_duration(wrong, n)) << wrong;
}

TEST(Duration, IsWrittenInTheLargestUnitThatIsExact) {
  EXPECT_EQ(format_duration(0), "0s");
  EXPECT_EQ(format_duration(90 * kSecond), "90s");
  EXPECT_EQ(format_duration(300 * kSecond), "5m");
  EXPECT_EQ(format_duration(1500 * kMicrosecond), "1500us");
}

// conf/augprobe.toml is made from the table: reading it back changes nothing and has no mistake.
TEST(OptionTable, AsAFileIsReadBackToTheDefaults) {
  Options options;
  options.flow_idle_timeout = 1;
  options.export_targets = {"null:"};
  const auto mistakes = read_config(options_as_toml(), options);
  ASSERT_TRUE(mistakes.empty()) << mistakes.front().what;
  const Options defaults;
  for (const OptionInfo& o : option_table()) EXPECT_EQ(to_toml(options, o), to_toml(defaults, o)) << o.name();
}

TEST(OptionTable, EveryRowIsExplainedAndItsDefaultInRange) {
  Options options;
  for (const OptionInfo& o : option_table()) {
    EXPECT_FALSE(o.meaning.empty()) << o.name();
    EXPECT_TRUE(set_option(o.name() + "=" + to_toml(Options(), o), options).empty()) << o.name();
  }
}

TEST(DidYouMean, NamesTheNearestOrAll) {
  const std::string_view names[] = {"idle_timeout", "capacity"};
  EXPECT_EQ(did_you_mean("idel_timeout", names), "; did you mean idle_timeout?");
  EXPECT_EQ(did_you_mean("xyz", names), "; there are idle_timeout, capacity");
}

}  // namespace
}  // namespace probe::run
