#include "probe/dpdk/device.h"

#include <rte_dev.h>
#include <rte_errno.h>

#include <stdexcept>
#include <vector>

#include "probe/dpdk/pci_address.h"
#include "probe/dpdk/said.h"

namespace probe::dpdk {
namespace {

std::runtime_error trouble(const std::string& wanted, const std::string& why) {
  return std::runtime_error("DPDK port '" + wanted + "': " + why);
}

// What was said by whom, in brackets after a sentence.
std::string quoted(const Said& said) {
  const std::string text = said.text();
  return text.empty() ? "" : " (" + text + ")";
}

std::string name_of(std::uint16_t port) {
  char name[RTE_ETH_NAME_MAX_LEN] = {};
  rte_eth_dev_get_name_by_port(port, name);
  return name;
}

std::string list_of_ports() {
  std::string list;
  std::uint16_t port;
  RTE_ETH_FOREACH_DEV(port) list += (list.empty() ? "" : ", ") + name_of(port);
  return list.empty() ? "none" : list;
}

// Ports of one device; some NICs have two behind one address.
std::vector<std::uint16_t> ports_of(const std::string& device) {
  std::vector<std::uint16_t> ports;
  for (std::uint16_t port = 0; port < RTE_MAX_ETHPORTS; ++port) {  // those in use as well
    rte_eth_dev_info info;
    if (rte_eth_dev_is_valid_port(port) && rte_eth_dev_info_get(port, &info) == 0 && info.device &&
        device == rte_dev_name(info.device))
      ports.push_back(port);
  }
  return ports;
}

// Drivers answer with -1 to whatever it was: what they said tells more.
std::string remedy(const std::string& bus, int error, const std::string& said) {
  if (error == -EACCES || said.find("not permitted") != said.npos || said.find("ermission denied") != said.npos)
    return "no permission: run as root or give the process CAP_NET_RAW and CAP_NET_ADMIN";
  if (error == -ENOMEM) return "not enough memory for it";
  if (bus == "pci")
    return "no such device, or it is not bound to vfio-pci (`dpdk-devbind.py -b vfio-pci ADDRESS`; mlx4 and mlx5 keep "
           "their "
           "kernel driver)";
  return "it cannot be created: is its name that of a driver (net_af_packet0, net_memif0, …) and are its arguments "
         "right?";
}

}  // namespace

Device::Device(const std::string& wanted) {
  find_or_plug(wanted);
  own();
  if (const int error = rte_eth_dev_info_get(port_, &info_); error != 0)
    throw trouble(wanted, std::string("its driver does not describe it: ") + rte_strerror(-error));
  name_ = name_of(port_);
}

void Device::find_or_plug(const std::string& wanted) {
  const std::size_t comma = wanted.find(',');
  const std::string first = wanted.substr(0, comma);
  const std::string arguments = comma == std::string::npos ? "" : wanted.substr(comma + 1);
  const std::string address = pci_address(wanted);
  if (!address.empty()) return plug("pci", address, arguments, wanted);
  if (rte_eth_dev_get_port_by_name(first.c_str(), &port_) == 0) {
    if (!arguments.empty())
      throw trouble(wanted, "a port of the name " + first + " is there already: give it another number");
    return;
  }
  if (first.starts_with("net_") || first.starts_with("eth_")) return plug("vdev", first, arguments, wanted);
  throw trouble(wanted,
                "this is neither an address of PCI (0000:03:00.0), nor a virtual device (net_af_packet0,iface=eth1), "
                "nor a port that is there already (" +
                    list_of_ports() + ")");
}

void Device::plug(const std::string& bus, const std::string& device, const std::string& arguments,
                  const std::string& wanted) {
  const Said said;
  const int error = rte_eal_hotplug_add(bus.c_str(), device.c_str(), arguments.c_str());
  // A device of PCI that EAL was told of is there since EAL started.
  if (error != 0 && error != -EEXIST) throw trouble(wanted, remedy(bus, error, said.text()) + quoted(said));
  const std::vector<std::uint16_t> ports = ports_of(device);
  if (error == 0) bus_ = bus, device_ = device;
  if (ports.size() == 1) {
    port_ = ports[0];
    return;
  }
  std::string names;
  for (const std::uint16_t port : ports) names.append(names.empty() ? "" : ", ").append(name_of(port));
  throw trouble(wanted, ports.empty() ? "the device is there, but has no port" + quoted(said)
                                      : "it has several ports, name one: " + names);
}

void Device::own() {
  rte_eth_dev_owner owner = {};
  rte_eth_dev_owner_new(&owner.id);
  std::snprintf(owner.name, sizeof owner.name, "augprobe");
  const Said said;
  if (rte_eth_dev_owner_set(port_, &owner) != 0)
    throw std::runtime_error("DPDK port '" + name_of(port_) + "' is in use already: each port can be read once" +
                             quoted(said));
}

Device::~Device() {
  rte_eth_dev_stop(port_);
  rte_eth_dev_close(port_);
  if (!device_.empty()) rte_eal_hotplug_remove(bus_.c_str(), device_.c_str());
}

}  // namespace probe::dpdk
