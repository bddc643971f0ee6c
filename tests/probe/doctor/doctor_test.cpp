#include "probe/doctor/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/probe/doctor/fake_machine.h"

namespace probe::doctor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Doctor, TellsTheWorstOfAllFindings) {
  FakeMachine m;
  Wanted w;
  EXPECT_EQ(worst_of(examine(m.machine(), w)), Verdict::good);
  m.calls.clock_state = ClockState{};
  EXPECT_EQ(worst_of(examine(m.machine(), w)), Verdict::advice);
  w.interfaces = {"eth1"};
  EXPECT_EQ(worst_of(examine(m.machine(), w)), Verdict::problem);
}

TEST(Doctor, HasNothingToSayAboutAnEmptyTree) {
  FakeMachine m;
  Wanted w;
  w.dpdk = w.udp_export = true;
  for (const Examined& e : examine(m.machine(), w)) EXPECT_NE(e.finding.verdict, Verdict::problem) << e.check;
}

TEST(Doctor, ShowsVerdictReasonAndRemedyInColumns) {
  const std::vector<Examined> all = {
      {"memory", {"", "plenty", Verdict::good, "", ""}},
      {"interface", {"eth1", "down", Verdict::problem, "nothing comes", "ip link set eth1 up"}}};
  EXPECT_EQ(as_table(all),
            "verdict  check            found\n"
            "good     memory           plenty\n"
            "PROBLEM  interface  eth1  down\n"
            "           why   nothing comes\n"
            "           type  ip link set eth1 up\n"
            "1 problem, 0 pieces of advice.\n");
}

TEST(Doctor, WritesJsonWhateverNamesHold) {
  const std::vector<Examined> all = {{"interface", {"eth\xff\"", "down", Verdict::problem, "why", "do"}}};
  const auto json = nlohmann::json::parse(as_json(all));
  EXPECT_EQ(json[0]["verdict"], "problem");
  EXPECT_EQ(json[0]["remedy"], "do");
}

TEST(CpuList, IsReadAndWritten) {
  EXPECT_THAT(cpu_list("0-2,5"), ElementsAre(0, 1, 2, 5));
  EXPECT_THAT(cpu_list(""), IsEmpty());
  EXPECT_THAT(cpu_list("(null)"), IsEmpty());
  EXPECT_THAT(cpu_list("0-4294967295"), IsEmpty());
  EXPECT_EQ(as_cpu_list({5, 0, 1, 2}), "0-2,5");
  EXPECT_EQ(as_cpu_list({}), "");
}

TEST(ValueOf, FindsALineByItsWholeName) {
  const std::string text = "HugePages_Total:     512\nHugepagesize:       2048 kB\nBroken:\n";
  EXPECT_EQ(value_of(text, "Hugepagesize"), 2048u);
  EXPECT_EQ(value_of(text, "HugePages"), std::nullopt);
  EXPECT_EQ(value_of(text, "Broken"), std::nullopt);
}

TEST(SystemCalls, KnowTheClockAndThatAnInterfaceIsMissing) {
  EXPECT_TRUE(system_calls().clock());
  EXPECT_FALSE(system_calls().offloads("no-such-if"));
  EXPECT_FALSE(system_calls().rings("a-name-longer-than-an-interface-may-have"));
  EXPECT_TRUE(system_calls().offloads("lo"));
}

TEST(RealMachine, IsExaminedWithoutAProblemWhenNothingIsWanted) {
  const std::vector<Examined> all = examine(Machine(), Wanted());
  EXPECT_GT(all.size(), 8u);
  EXPECT_NE(worst_of(all), Verdict::problem) << as_table(all);
}

}  // namespace
}  // namespace probe::doctor
