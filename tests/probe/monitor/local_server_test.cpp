#include "probe/monitor/local_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "probe/monitor/local_address.h"
#include "probe/monitor/top.h"
#include "tests/probe/monitor/a_probe.h"

namespace probe::monitor {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class LocalServers : public testing::Test {
 protected:
  LocalServers() {
    std::string name = std::filesystem::temp_directory_path() / "monitorXXXXXX";
    folder_ = mkdtemp(name.data());
    path_ = folder_ + "/socket";
  }
  ~LocalServers() override { std::filesystem::remove_all(folder_); }

  Descriptor connected() const {
    Descriptor fd(socket(AF_UNIX, SOCK_STREAM, 0));
    const sockaddr_un to = local_address(path_);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    const timeval patience{10, 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
  }
  // The line that comes back; empty if the server hung up.
  static std::string ask(const Descriptor& fd, const std::string& line) {
    EXPECT_EQ(send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL), static_cast<ssize_t>(line.size()));
    std::string out;
    char c = 0;
    while (recv(fd.get(), &c, 1, 0) == 1 && c != '\n') out += c;
    return out;
  }

  std::string folder_, path_;
  AProbe probe_;
  RankingSink ranking_{std::chrono::minutes(5)};
};

TEST_F(LocalServers, AnswersEachQuestionWithALineOfJson) {
  LocalServer server(path_, probe_, ranking_);
  const Descriptor fd = connected();
  const auto first = nlohmann::json::parse(ask(fd, kRequest));
  EXPECT_EQ(first["counters"]["capture_frames"], 1201);
  EXPECT_FALSE(first.contains("per_second"));
  probe_.now.time += 2 * kSecond;
  probe_.now.workers[0].counters.add(Counter::capture_frames, 100);
  EXPECT_EQ(nlohmann::json::parse(ask(fd, kRequest))["per_second"]["packets"], 50.0);
}

TEST_F(LocalServers, IsForItsOwnerAndGroupOnlyAndGoneAtTheEnd) {
  {
    LocalServer server(path_, probe_, ranking_);
    struct stat s {};
    ASSERT_EQ(stat(path_.c_str(), &s), 0);
    EXPECT_EQ(s.st_mode & 0777, 0660u);
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(LocalServers, SaysHowToAskAndHangsUpOnGarbage) {
  LocalServer server(path_, probe_, ranking_);
  EXPECT_THAT(ask(connected(), "what?\n"), HasSubstr("error"));
  EXPECT_EQ(ask(connected(), std::string(100'000, 'x')), "");
  EXPECT_THAT(ask(connected(), kRequest), StartsWith("{\"version\""));
}

TEST_F(LocalServers, ServesOthersWhileSomeoneStaysSilent) {
  LocalServer server(path_, probe_, ranking_);
  const Descriptor silent = connected();
  {
    const Descriptor half = connected();
    send(half.get(), "stat", 4, MSG_NOSIGNAL);
  }
  for (int i = 0; i < 50; ++i) EXPECT_THAT(ask(connected(), kRequest), StartsWith("{"));
}

TEST_F(LocalServers, TakesThePlaceOfADeadProbeButNotOfALivingOneOrAFile) {
  LocalServer server(path_, probe_, ranking_);
  EXPECT_THROW(LocalServer(path_, probe_, ranking_), std::runtime_error);
  EXPECT_THAT(ask(connected(), kRequest), StartsWith("{"));  // the first one is untouched

  const std::string dead = folder_ + "/dead", file = folder_ + "/file";
  const sockaddr_un at = local_address(dead);
  {
    const Descriptor left(socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(bind(left.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  }
  EXPECT_NO_THROW(LocalServer(dead, probe_, ranking_));
  std::ofstream(file) << "precious";
  EXPECT_THROW(LocalServer(file, probe_, ranking_), std::runtime_error);
  EXPECT_TRUE(std::filesystem::exists(file));
  EXPECT_THROW(LocalServer(std::string(200, 'x'), probe_, ranking_), std::runtime_error);
  EXPECT_THROW(LocalServer(folder_ + "/none/socket", probe_, ranking_), std::runtime_error);
}

TEST_F(LocalServers, AreAskedByTop) {
  LocalServer server(path_, probe_, ranking_);
  TopRequest request;
  request.socket = path_;
  request.once = request.json = true;
  testing::internal::CaptureStdout();
  EXPECT_EQ(top(request), 0);
  const auto answer = nlohmann::json::parse(testing::internal::GetCapturedStdout());
  EXPECT_EQ(answer["ports"].size(), 2u);
  request.socket = folder_ + "/none";
  EXPECT_THROW(top(request), std::runtime_error);
}

}  // namespace
}  // namespace probe::monitor
