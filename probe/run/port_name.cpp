#include "probe/run/port_name.h"

#include <fmt/format.h>

#include <stdexcept>

namespace probe::run {

PortName parse_port(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  const std::string device(colon == text.npos ? "" : text.substr(colon + 1));
  if (kind == "socket" && !device.empty()) return {PortName::Kind::socket, device};
  if (kind == "dpdk" && !device.empty()) return {PortName::Kind::dpdk, device};
  throw std::runtime_error(
      fmt::format("\"{}\" is no port: write socket:INTERFACE, dpdk:PCI_ADDRESS or dpdk:DEVICE", text));
}

}  // namespace probe::run
