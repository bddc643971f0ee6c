#include "probe/run/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace probe::run {
namespace {

using testing::HasSubstr;

TEST(Config, SetsWhatIsWrittenAndLeavesTheRest) {
  Options o;
  EXPECT_TRUE(read_config("[flow]\nidle_timeout = \"15s\"\n[redact]\nliterals = true\n", o).empty());
  EXPECT_EQ(o.flow_idle_timeout, 15 * kSecond);
  EXPECT_TRUE(o.redact_literals);
  EXPECT_EQ(o.flow_active_timeout, Options().flow_active_timeout);
}

TEST(Config, TellsAllMistakesWithTheirLinesAndWhatToWrite) {
  Options o;
  const auto m = read_config(
      "[flow]\n"
      "idel_timeout = \"15s\"\n"
      "active_timeout = 300\n"
      "capacity = 3\n"
      "[redact]\n"
      "literals = \"yes\"\n"
      "[exprot]\n"
      "targets = []\n",
      o);
  ASSERT_EQ(m.size(), 5u);
  EXPECT_EQ(m[0].line, 2u);
  EXPECT_THAT(m[0].what, HasSubstr("did you mean idle_timeout?"));
  EXPECT_EQ(m[1].line, 3u);
  EXPECT_THAT(m[1].what, HasSubstr("a duration with its unit"));
  EXPECT_EQ(m[2].line, 4u);
  EXPECT_THAT(m[2].what, HasSubstr("out of range: choose 16 to"));
  EXPECT_EQ(m[3].line, 6u);
  EXPECT_THAT(m[3].what, HasSubstr("true or false"));
  EXPECT_EQ(m[4].line, 7u);
  EXPECT_THAT(m[4].what, HasSubstr("did you mean export?"));
}

TEST(Config, WhatIsNoTomlIsToldWithItsLine) {
  Options o;
  const auto m = read_config("[flow]\nidle_timeout = \n", o);
  ASSERT_EQ(m.size(), 1u);
  EXPECT_EQ(m[0].line, 2u);
}

TEST(Config, AListMustBeOfTexts) {
  Options o;
  EXPECT_EQ(read_config("[export]\ntargets = [1]\n", o).size(), 1u);
  EXPECT_TRUE(read_config("[export]\ntargets = [\"null:\"]\n", o).empty());
  EXPECT_EQ(o.export_targets, std::vector<std::string>{"null:"});
}

TEST(Config, AFileThatIsNotThereIsOneMistake) {
  Options o;
  const auto m = load_config("/nonexistent/augprobe.toml", o);
  ASSERT_EQ(m.size(), 1u);
  EXPECT_THAT(m[0].what, HasSubstr("No such file"));
}

TEST(Config, AFileThatCannotBeReadIsOneMistake) {
  Options o;
  const auto m = load_config("/", o);
  ASSERT_EQ(m.size(), 1u);
  EXPECT_THAT(m[0].what, HasSubstr("Is a directory"));
}

TEST(Config, AnEmptyFileChangesNothing) {
  Options o;
  EXPECT_TRUE(load_config("/dev/null", o).empty());
  EXPECT_EQ(o.flow_capacity, Options().flow_capacity);
}

TEST(SetOption, TakesValuesWithAndWithoutQuotes) {
  Options o;
  EXPECT_TRUE(set_option("flow.idle_timeout=7s", o).empty());
  EXPECT_EQ(o.flow_idle_timeout, 7 * kSecond);
  EXPECT_TRUE(set_option("flow.capacity=1000", o).empty());
  EXPECT_EQ(o.flow_capacity, 1000u);
  EXPECT_EQ(set_option("flow.capacity", o).size(), 1u);
  EXPECT_EQ(set_option("flow.capcity=3", o).size(), 1u);
  EXPECT_EQ(set_option("flow.capacity=many", o).size(), 1u);
}

TEST(CheckOptions, FindsWhatSingleValuesCannotTell) {
  Options o;
  EXPECT_TRUE(check_options(o).empty());
  o.dissect_protocols = {"htpp"};
  o.export_targets = {"udp:/nowhere"};
  o.flow_idle_timeout = o.flow_active_timeout + 1;
  o.capture_filter = "prot 80";
  EXPECT_EQ(check_options(o).size(), 4u);
}

TEST(CheckOptions, LooksAtWhatLiveNeeds) {
  Options o;
  o.capture_ports = {"eth1", "socket:"};
  o.capture_workers = 4;
  o.capture_cpus = "2-4";
  o.dpdk_hugepages = "sometimes";
  EXPECT_EQ(check_options(o).size(), 4u);
  o.capture_ports = {"socket:eth1", "dpdk:03:00.0", "dpdk:net_af_packet0,iface=eth1"};
  o.capture_cpus = "2-4,7";
  o.dpdk_hugepages = "never";
  EXPECT_TRUE(check_options(o).empty());
  o.capture_cpus = "two";
  EXPECT_EQ(check_options(o).size(), 1u);
}

}  // namespace
}  // namespace probe::run
