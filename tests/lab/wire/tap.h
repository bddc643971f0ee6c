// TAP interfaces in named network namespaces.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace probe::lab {

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd();
  int get() const { return fd_; }

 private:
  int fd_;
};

struct Port {
  std::string netns, interface;
  std::string ipv4, ipv6;  // "10.99.0.1/24" and "fd00::1/64", or empty
};

// NETNS:IF[:IPV4/LEN[:IPV6/LEN]]
Port parse_port(std::string_view text);

// What precedes each frame of an interface with offload (struct virtio_net_hdr).
inline constexpr std::size_t kOffloadHeader = 10;

// Non-blocking; the interface is up, and vanishes when the descriptor is closed. With offload its host hands over TCP
// segments of up to 64 KiB, without checksums, as a capture on a host shows them.
Fd open_tap(const Port& port, bool offload = false);

}  // namespace probe::lab
