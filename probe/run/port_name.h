// Names of ports, as capture.ports has them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace probe::run {

struct PortName {
  enum class Kind : std::uint8_t { socket, dpdk };
  Kind kind = Kind::socket;
  std::string device;  // interface, PCI address, virtual device
};

// "socket:eth1", "dpdk:0000:03:00.0". Throws std::runtime_error with a sentence that says how it should look.
PortName parse_port(std::string_view text);

}  // namespace probe::run
