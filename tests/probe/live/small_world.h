// A network namespace of the test's own, with a pair of veth interfaces, and a sender of frames as they are.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "probe/live/port.h"
#include "tests/kit/packet_builder.h"

namespace probe::live {

inline void shell(const std::string& command) {
  if (std::system((command + " >/dev/null").c_str()) != 0) throw std::runtime_error("failed: " + command);
}

inline Nanos clock_now() {
  return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Each test's namespace ends with the next one's beginning. Nothing sends in it by itself.
class SmallWorld : public testing::Test {
 protected:
  void SetUp() override {
    if (unshare(CLONE_NEWNET) != 0) GTEST_SKIP() << "network namespaces need root: " << std::strerror(errno);
    std::ofstream("/proc/sys/net/ipv6/conf/default/disable_ipv6") << 1;
    make_pair();
  }
  static void make_pair() {
    shell("ip link add wire0 type veth peer name wire1");
    shell("ip link set wire0 up");
    shell("ip link set wire1 up");
  }
};

// Sends on one end what arrives on the other.
class Sender {
 public:
  explicit Sender(const std::string& interface, bool with_offload = false)
      : socket_(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
    const int on = 1;
    if (with_offload) setsockopt(socket_, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on);
    if (bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("cannot send on " + interface);
  }
  ~Sender() { close(socket_); }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  void send(const kit::Octets& frame) { put(frame.data(), frame.size()); }
  void send(const kit::BuiltFrame& frame) { send(frame.octets); }

  // One frame that holds several TCP segments of this size, as a sender leaves it to its NIC to cut.
  void send_uncut(const kit::BuiltFrame& frame, std::uint16_t segment) {
    struct {  // virtio_net_hdr, whose header is no C++
      std::uint8_t flags, type;
      std::uint16_t headers, segment, checksum_start, checksum_offset;
    } head{};
    head.flags = 1;  // NEEDS_CSUM
    head.type = 1;   // GSO_TCPV4
    head.headers = 14 + 20 + 20;
    head.segment = segment;
    head.checksum_start = 14 + 20;
    head.checksum_offset = 16;
    kit::Octets all(sizeof head);
    std::memcpy(all.data(), &head, sizeof head);
    all.insert(all.end(), frame.octets.begin(), frame.octets.end());
    put(all.data(), all.size());
  }

 private:
  void put(const std::uint8_t* octets, std::size_t length) {
    if (::send(socket_, octets, length, 0) != static_cast<ssize_t>(length))
      throw std::runtime_error(std::string("not sent: ") + std::strerror(errno));
  }
  const int socket_;
};

// A frame that outlives its release.
struct Kept {
  kit::Octets octets;
  std::uint32_t wire_length;
  LinkType link;
  std::uint16_t port;
  Nanos time;
};

// Everything that comes until it has been quiet for a while.
inline std::vector<Kept> read_all(Queue& queue, Nanos quiet = 100 * kMillisecond) {
  std::vector<Kept> all;
  std::array<Frame, 64> frames;
  for (Nanos last = clock_now(); clock_now() < last + quiet;) {
    const std::size_t n = queue.read(frames);
    for (const Frame& f : std::span(frames).first(n))
      all.push_back({kit::Octets(f.octets.begin(), f.octets.end()), f.wire_length, f.link, f.port, f.time});
    queue.release(n);
    if (n > 0) last = clock_now();
    if (n == 0) queue.wait(10 * kMillisecond);
  }
  return all;
}

}  // namespace probe::live
