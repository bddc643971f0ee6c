// A network namespace of the test's own, with an interface into which the test puts frames.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
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

// Puts frames into an interface that it makes (a tap), at once: unlike on a veth pair none waits in a queue of the
// processor, where whatever else this machine does could crowd it out.
class Wire {
 public:
  Wire(const std::string& interface, short kind) : file_(::open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK)) {
    ifreq request{};
    std::strncpy(request.ifr_name, interface.c_str(), IFNAMSIZ - 1);
    request.ifr_flags = static_cast<short>(kind | IFF_NO_PI | IFF_VNET_HDR);
    if (file_ < 0 || ioctl(file_, TUNSETIFF, &request) != 0)
      throw std::runtime_error(std::string("no tap: ") + std::strerror(errno));
    shell("ip link set " + interface + " up");
  }
  ~Wire() { close(file_); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  void put(const kit::Octets& frame) { put({}, frame); }
  void put(const kit::BuiltFrame& frame) { put(frame.octets); }
  // One frame that holds several TCP segments of this size, as GRO makes them, or a sender leaves them to its NIC.
  void put_uncut(const kit::BuiltFrame& frame, std::uint16_t segment) {
    constexpr std::uint8_t kNeedsChecksum = 1, kTcpIpv4 = 1;
    put({kNeedsChecksum, kTcpIpv4, 14 + 20 + 20, segment, 14 + 20, 16}, frame.octets);
  }
  void set_carrier(int on) { ioctl(file_, TUNSETCARRIER, &on); }

 private:
  struct Offload {  // virtio_net_hdr, whose header is no C++
    std::uint8_t flags = 0, type = 0;
    std::uint16_t headers = 0, segment = 0, checksum_start = 0, checksum_offset = 0;
  };
  void put(const Offload& offload, const kit::Octets& frame) {
    const iovec parts[] = {{const_cast<Offload*>(&offload), sizeof offload},
                           {const_cast<std::uint8_t*>(frame.data()), frame.size()}};
    if (writev(file_, parts, 2) < 0) throw std::runtime_error(std::string("not put: ") + std::strerror(errno));
  }
  const int file_;
};

// Each test's namespace ends with the next one's beginning. Nothing sends in it by itself.
class SmallWorld : public testing::Test {
 protected:
  void SetUp() override {
    if (unshare(CLONE_NEWNET) != 0) GTEST_SKIP() << "network namespaces need root: " << std::strerror(errno);
    std::ofstream("/proc/sys/net/ipv6/conf/default/disable_ipv6") << 1;
    if (access("/dev/net/tun", R_OK | W_OK) != 0) GTEST_SKIP() << "/dev/net/tun: " << std::strerror(errno);
    plug_in();
  }
  void plug_in() { wire = std::make_unique<Wire>("wire1", IFF_TAP); }
  void unplug() { wire.reset(); }

  std::unique_ptr<Wire> wire;
};

// Sends as a program of this machine does.
class Sender {
 public:
  explicit Sender(const std::string& interface) : socket_(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
    if (bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("cannot send on " + interface);
  }
  ~Sender() { close(socket_); }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  void send(const kit::BuiltFrame& frame) {
    const auto length = static_cast<ssize_t>(frame.octets.size());
    if (::send(socket_, frame.octets.data(), frame.octets.size(), 0) != length)
      throw std::runtime_error(std::string("not sent: ") + std::strerror(errno));
  }

 private:
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
