#include "tests/lab/wire/tap.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/lab/wire/text.h"

namespace probe::lab {
namespace {

constexpr int kTransmitQueue = 10'000;  // frames; a burst must not be lost before the wire has read it

// Enters a named network namespace for the lifetime of the object.
class NetnsGuard {
 public:
  explicit NetnsGuard(const std::string& netns) {
    if (netns.empty()) return;
    home_ = Fd(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
    const Fd target(open(("/var/run/netns/" + netns).c_str(), O_RDONLY | O_CLOEXEC));
    if (home_.get() < 0 || target.get() < 0) fail_errno("open netns '" + netns + "'");
    if (setns(target.get(), CLONE_NEWNET) != 0) fail_errno("setns '" + netns + "'");
  }
  ~NetnsGuard() {
    if (home_.get() >= 0 && setns(home_.get(), CLONE_NEWNET) != 0) std::abort();
  }
  NetnsGuard(const NetnsGuard&) = delete;
  NetnsGuard& operator=(const NetnsGuard&) = delete;

 private:
  Fd home_;
};

ifreq request_for(const std::string& interface) {
  ifreq r{};
  interface.copy(r.ifr_name, sizeof r.ifr_name - 1);
  return r;
}

template <typename Request>
void control(const Fd& fd, unsigned long code, Request& request, const char* what) {
  if (ioctl(fd.get(), code, &request) != 0) fail_errno(what);
}

Fd inet_socket(int family) {
  Fd fd(socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) fail_errno("socket");
  return fd;
}

void set_ipv6_knob(const std::string& interface, const char* knob, const char* value) {
  const std::string path = "/proc/sys/net/ipv6/conf/" + interface + '/' + knob;
  std::FILE* f = std::fopen(path.c_str(), "w");
  if (!f) return;  // a kernel without IPv6 has nothing to silence
  std::fputs(value, f);
  std::fclose(f);
}

struct Prefix {
  std::string address;
  unsigned length;
};

Prefix parse_prefix(const std::string& text, unsigned longest) {
  const auto parts = split(text, '/');
  if (parts.size() != 2) fail("address needs a prefix length: " + text);
  const auto length = static_cast<unsigned>(parse_number(parts[1]));
  if (length > longest) fail("bad prefix length: " + text);
  return {std::string(parts[0]), length};
}

void set_ipv4(const Port& port) {
  const auto [address, length] = parse_prefix(port.ipv4, 32);
  ifreq r = request_for(port.interface);
  sockaddr_in sin{};
  sin.sin_family = AF_INET;
  if (inet_pton(AF_INET, address.c_str(), &sin.sin_addr) != 1) fail("bad address " + address);
  std::memcpy(&r.ifr_addr, &sin, sizeof sin);
  const Fd fd = inet_socket(AF_INET);
  control(fd, SIOCSIFADDR, r, "SIOCSIFADDR");
  sin.sin_addr.s_addr = htonl(length == 0 ? 0 : ~std::uint32_t{0} << (32 - length));
  std::memcpy(&r.ifr_netmask, &sin, sizeof sin);
  control(fd, SIOCSIFNETMASK, r, "SIOCSIFNETMASK");
}

void set_ipv6(const Port& port) {
  const auto [address, length] = parse_prefix(port.ipv6, 128);
  in6_ifreq r{};
  if (inet_pton(AF_INET6, address.c_str(), &r.ifr6_addr) != 1) fail("bad address " + address);
  r.ifr6_prefixlen = length;
  r.ifr6_ifindex = static_cast<int>(if_nametoindex(port.interface.c_str()));
  control(inet_socket(AF_INET6), SIOCSIFADDR, r, "SIOCSIFADDR (IPv6)");
}

// Duplicate address detection (RFC 4862 §5.4) would keep the address unusable for a second, and router solicitations
// have no place on the test wire.
void silence_ipv6(const Port& port) {
  for (const char* knob : {"accept_dad", "accept_ra", "dad_transmits", "router_solicitations"})
    set_ipv6_knob(port.interface, knob, "0");
  set_ipv6_knob(port.interface, "disable_ipv6", port.ipv6.empty() ? "1" : "0");
}

void bring_up(const Port& port) {
  const Fd fd = inet_socket(AF_INET);
  ifreq r = request_for(port.interface);
  r.ifr_qlen = kTransmitQueue;
  control(fd, SIOCSIFTXQLEN, r, "SIOCSIFTXQLEN");
  control(fd, SIOCGIFFLAGS, r, "SIOCGIFFLAGS");
  r.ifr_flags |= IFF_UP;
  control(fd, SIOCSIFFLAGS, r, "SIOCSIFFLAGS");
}

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) close(fd_);
}

Port parse_port(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() < 2 || parts[1].empty() || parts[1].size() >= IFNAMSIZ) fail("bad port '" + std::string(text) + "'");
  Port port{std::string(parts[0]), std::string(parts[1]), "", ""};
  if (parts.size() > 2) port.ipv4 = parts[2];
  if (parts.size() > 3) port.ipv6 = text.substr(static_cast<std::size_t>(parts[3].data() - text.data()));
  return port;
}

Fd open_tap(const Port& port, bool offload) {
  const NetnsGuard guard(port.netns);
  Fd tap(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (tap.get() < 0) fail_errno("/dev/net/tun");
  ifreq r = request_for(port.interface);
  r.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | (offload ? IFF_VNET_HDR : 0));
  control(tap, TUNSETIFF, r, "TUNSETIFF");
  if (offload && ioctl(tap.get(), TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) != 0)
    fail_errno("TUNSETOFFLOAD");
  silence_ipv6(port);
  if (!port.ipv4.empty()) set_ipv4(port);
  bring_up(port);
  if (!port.ipv6.empty()) set_ipv6(port);
  return tap;
}

}  // namespace probe::lab
