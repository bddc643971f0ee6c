// Ports of drivers that have peculiarities: files and interfaces of the kernel.
#include "probe/dpdk/drivers.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "probe/dpdk/port.h"
#include "tests/probe/dpdk/ring_sender.h"

namespace probe::dpdk {
namespace {

using testing::Contains;
using testing::HasSubstr;

TEST(Drivers, OfAnUnknownOneNothingIsDoubted) {
  EXPECT_TRUE(driver("net_ice").counts_missed);
  EXPECT_EQ(driver("net_ice").spread, Spread::rss);
  EXPECT_EQ(driver("net_ice").stamp, Stamp::hardware);
  EXPECT_FALSE(driver("net_af_packet").counts_missed);
}

// A capture in microseconds, with frames of 60 and of 9000 octets.
std::string capture_of_two() {
  const std::string path = std::filesystem::temp_directory_path() / ("dpdk_test_" + std::to_string(getpid()) + ".pcap");
  std::ofstream out(path, std::ios::binary);
  const auto words = [&](std::initializer_list<std::uint32_t> list) {
    for (const std::uint32_t word : list) out.write(reinterpret_cast<const char*>(&word), sizeof word);
  };
  words({0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1});
  for (const std::uint32_t size : {60u, 9000u}) {
    words({1'700'000'000, 123'456 + size, size, size});
    const std::vector<std::uint8_t> octets = octets_of_frame(size, size);
    out.write(reinterpret_cast<const char*>(octets.data()), size);
  }
  return path;
}

TEST(PcapPort, ReadsACaptureWithItsTimesAndLongFrames) {
  const std::string path = capture_of_two();
  const auto port = open_port({.device = "net_pcap0,rx_pcap=" + path});
  EXPECT_THAT(port->warnings(), Contains(HasSubstr("rounds times to microseconds")));
  std::array<Frame, 64> frames;
  ASSERT_EQ(port->queues()[0]->read(frames), 2u);
  EXPECT_EQ(frames[0].time, (1'700'000'000 * kSecond) + 123'516 * kMicrosecond);
  EXPECT_EQ(frames[1].time, (1'700'000'000 * kSecond) + 132'456 * kMicrosecond);
  for (unsigned i = 0; i < 2; ++i) {
    const std::uint32_t size = i == 0 ? 60 : 9000;
    EXPECT_EQ(std::vector(frames[i].octets.begin(), frames[i].octets.end()), octets_of_frame(size, size));
  }
  port->queues()[0]->release(2);
  EXPECT_EQ(port->queues()[0]->read(frames), 0u);
  std::filesystem::remove(path);
}

// In a network namespace of its own, if that may be made: two interfaces, and what goes into one comes out of the
// other.
class Cable {
 public:
  Cable() {
    if (unshare(CLONE_NEWNET) != 0) return;
    const char* const kMake =
        "ip link add va type veth peer name vb 2>&1 && sysctl -qw net.ipv6.conf.all.disable_ipv6=1 2>&1; "
        "ip link set va up 2>&1 && ip link set vb up 2>&1";
    if (std::system((std::string(kMake) + " >/dev/null").c_str()) != 0) return;
    socket_ = socket(AF_PACKET, SOCK_RAW, 0);
    sockaddr_ll to = {};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = static_cast<int>(if_nametoindex("va"));
    there_ = socket_ >= 0 && bind(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  ~Cable() {
    if (socket_ >= 0) close(socket_);
  }
  bool there() const { return there_; }
  bool send(const std::vector<std::uint8_t>& frame) const {
    return ::send(socket_, frame.data(), frame.size(), 0) == static_cast<ssize_t>(frame.size());
  }
  static void link(const char* state) { ASSERT_EQ(std::system((std::string("ip link set va ") + state).c_str()), 0); }

 private:
  int socket_ = -1;
  bool there_ = false;
};

std::vector<std::uint8_t> kernel_frame(unsigned number, std::size_t size) {
  std::vector<std::uint8_t> frame = octets_of_frame(number, size);
  const std::uint8_t head[14] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5};  // a type for experiments
  std::copy(std::begin(head), std::end(head), frame.begin());
  return frame;
}

// Frames of our type in the order they came, until `wanted` came or two seconds went by.
std::vector<std::vector<std::uint8_t>> receive(live::Port& port, std::size_t wanted) {
  std::vector<std::vector<std::uint8_t>> got;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  std::array<Frame, 64> frames;
  while (got.size() < wanted && std::chrono::steady_clock::now() < end) {
    const std::size_t n = port.queues()[0]->read(frames);
    for (std::size_t i = 0; i < n; ++i)
      if (frames[i].octets.size() > 13 && frames[i].octets[12] == 0x88 && frames[i].octets[13] == 0xb5)
        got.emplace_back(frames[i].octets.begin(), frames[i].octets.end());
    port.queues()[0]->release(n);
    if (n == 0) std::this_thread::yield();
  }
  return got;
}

void read_interface(const std::string& device) {
  const Cable cable;
  if (!cable.there()) GTEST_SKIP() << "no network namespace can be made here (needs root)";
  const auto port = open_port({.device = device, .descriptors = 1024});
  std::vector<std::vector<std::uint8_t>> sent;
  for (unsigned i = 0; i < 100; ++i) sent.push_back(kernel_frame(i, 60 + i * 14));
  for (const auto& frame : sent) ASSERT_TRUE(cable.send(frame));
  EXPECT_EQ(receive(*port, sent.size()), sent);
  EXPECT_EQ(port->counts().link_up, true);
  EXPECT_FALSE(port->counts().dropped_nic) << "the driver does not know";

  Cable::link("down");
  EXPECT_EQ(receive(*port, 1).size(), 0u);
  Cable::link("up");
  for (int i = 0; i < 100 && !cable.send(sent[0]); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(receive(*port, 1), std::vector(1, sent[0])) << "the port goes on after its link was down";
}

// In a thread, because a network namespace belongs to a thread: the others keep theirs.
void in_a_thread(void (*test)(const std::string&), const std::string& device) {
  std::thread thread(test, device);
  thread.join();
}

TEST(AfPacketPort, ReadsAnInterfaceOfTheKernel) { in_a_thread(read_interface, "net_af_packet0,iface=vb"); }

TEST(MemifPort, FindsTheOtherEnd) {
  const std::string place =
      ",socket-abstract=no,socket=" +
      (std::filesystem::temp_directory_path() / ("dpdk_test_" + std::to_string(getpid()) + ".sock")).string();
  const auto server = open_port({.device = "net_memif0,role=server" + place});
  const auto client = open_port({.device = "net_memif1,role=client" + place});
  for (int i = 0; i < 500 && server->counts().link_up != true; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(server->counts().link_up, true);
  EXPECT_EQ(client->counts().link_up, true);
}

}  // namespace
}  // namespace probe::dpdk
