#include "probe/run/doctor.h"

#include <fmt/format.h>

#include <algorithm>

#include "exporter/run/exporter.h"
#include "exporter/transport/url.h"
#include "probe/dpdk/pci_address.h"
#include "probe/run/live_lane.h"
#include "probe/run/live_ports.h"
#include "probe/run/live_worker.h"
#include "probe/run/port_name.h"

namespace probe::run {
namespace {

// A worker's memory is reserved to be measured, and not touched.
std::size_t worker_octets(const Options& o) {
  Exporter exporter({});
  MemoryPlan plan;
  plan.add(LiveLane(o, exporter).memory());
  return plan.octets() + o.decode_fragment_memory;
}

// Whether there will be a dispatcher is known only when drivers have said how they hash: this is when it is sure.
bool surely_dispatched(const Options& o) { return o.capture_queues > 0 && o.capture_queues < o.capture_workers; }

// Virtual devices that read an interface of the kernel name it: "net_af_packet0,iface=eth1".
std::string interface_of(const std::string& device) {
  const std::string key = ",iface=";
  const std::size_t at = device.find(key);
  if (at == device.npos) return "";
  const std::size_t begin = at + key.size();
  return device.substr(begin, device.find(',', begin) - begin);
}

void add_ports(const Options& o, doctor::Wanted& w) {
  for (const std::string& text : o.capture_ports) {
    const PortName name = parse_port(text);
    const bool dpdk = name.kind == PortName::Kind::dpdk;
    const std::string address = dpdk ? dpdk::pci_address(name.device) : "";
    const std::string interface = dpdk ? interface_of(name.device) : name.device;
    if (!address.empty())
      w.pci.push_back(address);
    else if (!interface.empty())
      w.interfaces.push_back(interface);
    w.dpdk = w.dpdk || dpdk;
  }
  const PortMemory memory = port_memory(o);
  w.dpdk_octets = w.dpdk ? memory.dpdk + dpdk::kOfEal : 0;
  w.hugepages = w.dpdk && (o.dpdk_hugepages == "required" ||
                           (o.dpdk_hugepages == "automatic" && dpdk::free_hugepages() >= w.dpdk_octets));
  w.octets = memory.sockets + o.capture_workers * worker_octets(o);
  if (surely_dispatched(o)) w.octets += o.capture_workers * BatchWay::octets();
}

}  // namespace

doctor::Wanted wanted_of(const Options& o) {
  doctor::Wanted w;
  w.workers = o.capture_workers;
  w.cpus = doctor::cpu_list(o.capture_cpus);
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
