#include "probe/run/live_ports.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "probe/dpdk/pci_address.h"
#include "probe/dpdk/port.h"
#include "probe/live/packet_socket.h"
#include "probe/run/log.h"
#include "probe/run/port_name.h"

namespace probe::run {
namespace {

using Kind = PortName::Kind;

std::size_t queues_of(const Options& o) { return o.capture_queues > 0 ? o.capture_queues : o.capture_workers; }

std::vector<PortName> names_of(const Options& o) {
  std::vector<PortName> names;
  for (const std::string& text : o.capture_ports) names.push_back(parse_port(text));
  return names;
}

bool any_dpdk(const std::vector<PortName>& names) {
  return std::ranges::find(names, Kind::dpdk, &PortName::kind) != names.end();
}

live::PacketSocketOptions socket_options(const Options& o, const PortName& name, std::size_t number) {
  live::PacketSocketOptions s;
  s.interface = name.device;
  s.port = static_cast<std::uint16_t>(number);
  s.queues = queues_of(o);
  s.blocks = o.capture_ring_memory / s.block_octets;
  s.promiscuous = o.capture_promiscuous;
  s.ignore_outgoing = !o.capture_outgoing;
  return s;
}

dpdk::PortOptions dpdk_options(const Options& o, const PortName& name, std::size_t number) {
  dpdk::PortOptions d;
  d.device = name.device;
  d.interface = static_cast<std::uint16_t>(number);
  d.queues = static_cast<std::uint16_t>(queues_of(o));
  d.descriptors = static_cast<std::uint16_t>(o.dpdk_descriptors);
  d.mtu = static_cast<std::uint16_t>(o.dpdk_mtu);
  d.promiscuous = o.capture_promiscuous;
  d.hardware_time = o.dpdk_hardware_time;
  return d;
}

dpdk::EalOptions eal_options(const Options& o, const std::vector<PortName>& names) {
  dpdk::EalOptions e;
  const auto* choice = std::ranges::find(kHugepages, o.dpdk_hugepages, &HugepageChoice::name);
  if (choice != std::end(kHugepages)) e.hugepages = choice->meaning;
  e.memory = port_memory(o).dpdk;
  for (const PortName& name : names) {
    const std::size_t comma = name.device.find(',');
    const std::string address = name.kind == Kind::dpdk ? dpdk::pci_address(name.device) : "";
    if (!address.empty()) e.pci.push_back(comma == name.device.npos ? address : address + name.device.substr(comma));
  }
  e.extra = o.dpdk_arguments;
  e.log = [](std::string_view line) { Log(LogLevel::info, "dpdk").with("said", line); };
  return e;
}

// Every kind has a hash of its own.
bool queues_agree(const std::vector<PortName>& names, const LivePorts& ports) {
  if (!any_dpdk(names)) return true;
  if (std::ranges::find(names, Kind::socket, &PortName::kind) != names.end()) return false;
  std::vector<live::Port*> all;
  for (const auto& p : ports.ports) all.push_back(p.get());
  return dpdk::spread_alike(all);
}

}  // namespace

PortMemory port_memory(const Options& o) {
  PortMemory m;
  for (const PortName& name : names_of(o)) {
    if (name.kind == Kind::socket)
      m.sockets += queues_of(o) * o.capture_ring_memory;
    else
      m.dpdk += dpdk::memory_needed(dpdk_options(o, name, 0));
  }
  return m;
}

LivePorts open_ports(const Options& o) {
  const std::vector<PortName> names = names_of(o);
  LivePorts out;
  if (any_dpdk(names)) {
    const dpdk::EalStart& eal = dpdk::start_eal(eal_options(o, names));
    out.notes = eal.notes;
    out.notes.push_back(fmt::format("DPDK was started as `{}`", fmt::join(eal.arguments, " ")));
  }
  std::string wrong;
  for (std::size_t i = 0; i < names.size(); ++i) try {
      out.ports.push_back(names[i].kind == Kind::socket ? live::open_packet_socket(socket_options(o, names[i], i))
                                                        : dpdk::open_port(dpdk_options(o, names[i], i)));
    } catch (const std::runtime_error& e) {
      wrong += fmt::format("{}{}: {}", wrong.empty() ? "" : "\n", o.capture_ports[i], e.what());
    }
  if (!wrong.empty()) throw std::runtime_error(wrong);
  out.queues_agree = queues_agree(names, out);
  const PortMemory memory = port_memory(o);
  if (memory.sockets > 0) out.memory.push_back({"rings", memory.sockets});
  if (memory.dpdk > 0) out.memory.push_back({"DPDK buffers", memory.dpdk});
  return out;
}

}  // namespace probe::run
