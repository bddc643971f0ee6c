#include "probe/run/doctor.h"

#include <fmt/format.h>

#include <algorithm>

#include "exporter/run/exporter.h"
#include "exporter/transport/url.h"
#include "probe/dpdk/pci_address.h"
#include "probe/run/live_lane.h"
#include "probe/run/live_ports.h"
#include "probe/run/port_name.h"

namespace probe::run {
namespace {

// A worker's memory is reserved to be measured, and not touched.
std::size_t worker_octets(const Options& o) {
  Exporter exporter({});
  MemoryPlan plan;
  plan.add(LiveLane(o, exporter).memory());
  return plan.octets();
}

void add_ports(const Options& o, doctor::Wanted& w) {
  for (const std::string& text : o.capture_ports) {
    const PortName name = parse_port(text);
    const std::string address = dpdk::pci_address(name.device);
    if (name.kind == PortName::Kind::socket)
      w.interfaces.push_back(name.device);
    else if (!address.empty())
      w.pci.push_back(address);
    w.dpdk = w.dpdk || name.kind == PortName::Kind::dpdk;
  }
  const PortMemory memory = port_memory(o);
  w.dpdk_octets = w.dpdk ? memory.dpdk + dpdk::kOfEal : 0;
  w.hugepages = w.dpdk && (o.dpdk_hugepages == "required" ||
                           (o.dpdk_hugepages == "automatic" && dpdk::free_hugepages() >= w.dpdk_octets));
  w.octets = memory.sockets + o.capture_workers * worker_octets(o);
}

}  // namespace

doctor::Wanted wanted_of(const Options& o) {
  doctor::Wanted w;
  w.workers = o.capture_workers;
  w.udp_export = std::ranges::any_of(o.export_targets,
                                     [](const std::string& t) { return parse_url(t).scheme == Url::Scheme::udp; });
  if (!o.capture_ports.empty()) add_ports(o, w);
  return w;
}

int examine_machine(const Options& options, bool json) {
  const std::vector<doctor::Examined> all = doctor::examine(doctor::Machine(), wanted_of(options));
  fmt::print("{}", json ? doctor::as_json(all) : doctor::as_table(all));
  return doctor::worst_of(all) == doctor::Verdict::problem ? 1 : 0;
}

}  // namespace probe::run
