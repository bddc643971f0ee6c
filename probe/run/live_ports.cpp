#include "probe/run/live_ports.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "probe/run/port_name.h"

namespace probe::run {
namespace {

std::unique_ptr<live::Port> open_one(const PortName& name, const Options&, std::uint16_t) {
  throw std::runtime_error(fmt::format("{}: this build cannot open it", name.device));
}

}  // namespace

LivePorts open_ports(const Options& o) {
  LivePorts out;
  std::string wrong;
  std::vector<PortName::Kind> kinds;
  for (const std::string& text : o.capture_ports) {
    try {
      const PortName name = parse_port(text);
      kinds.push_back(name.kind);
      out.ports.push_back(open_one(name, o, static_cast<std::uint16_t>(out.ports.size())));
    } catch (const std::runtime_error& e) {
      wrong += fmt::format("{}{}: {}", wrong.empty() ? "" : "\n", text, e.what());
    }
  }
  if (!wrong.empty()) throw std::runtime_error(wrong);
  // Each kind has a hash of its own.
  out.queues_agree = std::ranges::adjacent_find(kinds, std::ranges::not_equal_to()) == kinds.end();
  return out;
}

}  // namespace probe::run
