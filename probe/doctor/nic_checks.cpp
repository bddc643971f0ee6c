// NICs and interfaces.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "probe/doctor/doctor.h"

namespace probe::doctor::check {
namespace {

constexpr std::int64_t kUp = 0x1;  // IFF_UP, netdevice(7)

// Give a device to a program, or, the last ones, share it with the kernel (DPDK's bifurcated drivers).
constexpr std::array<std::string_view, 6> kForDpdk = {"vfio-pci",  "uio_pci_generic", "igb_uio",
                                                      "mlx5_core", "mlx4_core",       "mana"};

constexpr const char* kNoLink = "nothing comes until the other end sends: cable, SPAN session, TAP";

bool is_network_device(const Machine& m, std::string_view address) {
  // PCI base class 02: network controller.
  return m.text(fmt::format("sys/bus/pci/devices/{}/class", address)).value_or("").starts_with("0x02");
}

// virtio's interfaces lie one level deeper, below their bus.
std::vector<std::string> interfaces_of(const Machine& m, const std::string& device) {
  std::vector<std::string> out = m.names(device + "/net");
  for (const std::string& child : m.names(device))
    if (child.starts_with("virtio")) {
      const std::vector<std::string> more = m.names(fmt::format("{}/{}/net", device, child));
      out.insert(out.end(), more.begin(), more.end());
    }
  return out;
}

Finding driver_of(const Machine& m, const Wanted& w, const std::string& address) {
  const std::string device = "sys/bus/pci/devices/" + address;
  const std::string driver = m.link_name(device + "/driver").value_or("none");
  const std::int64_t node = m.number(device + "/numa_node").value_or(-1);
  const std::vector<std::string> interfaces = interfaces_of(m, device);
  Finding f{address, driver, Verdict::good, "", ""};
  if (node >= 0) f.found += fmt::format(", NUMA node {}", node);
  if (!interfaces.empty()) f.found += fmt::format(", interface {}", fmt::join(interfaces, ", "));
  const bool wanted = std::ranges::find(w.pci, address) != w.pci.end();
  if (wanted && std::ranges::find(kForDpdk, driver) == kForDpdk.end()) {
    f.verdict = Verdict::problem;
    f.gain = "DPDK cannot drive a device that the kernel holds";
    f.remedy = fmt::format("modprobe vfio-pci && driverctl set-override {} vfio-pci", address);
  }
  // A driver that shares its device with the kernel: the kernel knows the link.
  if (wanted && f.verdict == Verdict::good)
    for (const std::string& i : interfaces)
      if (m.number(fmt::format("sys/class/net/{}/carrier", i)) == 0) {
        f.found += ", no link";
        f.verdict = Verdict::advice;
        f.gain = kNoLink;
        f.remedy = fmt::format("ethtool {}", i);
      }
  return f;
}

}  // namespace

Findings interfaces(const Machine& m, const Wanted& w) {
  Findings out;
  for (const std::string& i : w.interfaces) {
    const std::string folder = "sys/class/net/" + i;
    const auto flags = m.text(folder + "/flags");
    const bool up = flags && (std::strtoll(flags->c_str(), nullptr, 16) & kUp) != 0;
    const auto carrier = m.number(folder + "/carrier");
    if (!m.exists(folder))
      out.push_back({i, "not there", Verdict::problem,
                     fmt::format("there are: {}", fmt::join(m.names("sys/class/net"), ", ")), "ip link show"});
    else if (!up)
      out.push_back({i, "down", Verdict::problem, "nothing comes from an interface that is down",
                     fmt::format("ip link set {} up", i)});
    else if (carrier == 0)
      out.push_back({i, "up, no link", Verdict::advice, kNoLink, fmt::format("ethtool {}", i)});
    else
      out.push_back({i, "up", Verdict::good, "", ""});
  }
  return out;
}

Findings drivers(const Machine& m, const Wanted& w) {
  Findings out;
  for (const std::string& address : m.names("sys/bus/pci/devices"))
    if (is_network_device(m, address)) out.push_back(driver_of(m, w, address));
  for (const std::string& address : w.pci)
    if (std::ranges::find(out, address, &Finding::subject) == out.end())
      out.push_back({address, m.exists("sys/bus/pci/devices/" + address) ? "not a network device" : "not there",
                     Verdict::problem, "a port of the configuration cannot be opened",
                     "lspci -D | grep -i -e ethernet -e network"});
  return out;
}

Findings iommu(const Machine& m, const Wanted& w) {
  const std::size_t groups = m.names("sys/kernel/iommu_groups").size();
  const bool unsafe = m.text("sys/module/vfio/parameters/enable_unsafe_noiommu_mode") == "Y";
  const std::string found = groups > 0 ? fmt::format("on, {} groups", groups)
                            : unsafe   ? "off, vfio works without it"
                                       : "off";
  // mlx4, mlx5 and mana share their device with the kernel and need none.
  const bool needed = std::ranges::any_of(w.pci, [&](const std::string& address) {
    const std::string driver = m.link_name(fmt::format("sys/bus/pci/devices/{}/driver", address)).value_or("");
    return driver != "mlx5_core" && driver != "mlx4_core" && driver != "mana";
  });
  if (groups > 0 || !needed) return {{"", found, Verdict::good, "", ""}};
  if (unsafe)
    return {{"", found, Verdict::advice, "a NIC can write only where it may",
             "kernel command line: intel_iommu=on iommu=pt (AMD: iommu=pt)"}};
  return {{"", found, Verdict::problem, "vfio-pci gives no device to a program without it",
           "kernel command line: intel_iommu=on iommu=pt (AMD: iommu=pt); in a virtual machine without one: "
           "modprobe vfio enable_unsafe_noiommu_mode=1"}};
}

Findings offloads(const Machine& m, const Wanted& w) {
  Findings out;
  for (const std::string& i : w.interfaces) {
    const auto on = m.calls().offloads(i);
    if (!on) continue;  // the check of interfaces tells
    if (on->empty()) {
      out.push_back({i, "none on", Verdict::good, "", ""});
      continue;
    }
    std::string remedy = fmt::format("ethtool -K {}", i);
    for (const std::string& o : *on) remedy += fmt::format(" {} off", o);
    out.push_back({i, fmt::format("{} on", fmt::join(*on, ", ")), Verdict::advice,
                   "segments are counted as they were on the wire, not as the kernel joined them", remedy});
  }
  return out;
}

Findings rings(const Machine& m, const Wanted& w) {
  Findings out;
  for (const std::string& i : w.interfaces) {
    const auto r = m.calls().rings(i);
    if (!r || r->most == 0) continue;  // a virtual interface has none
    const std::string found = fmt::format("{} of {} descriptors", r->receive, r->most);
    if (r->receive >= r->most)
      out.push_back({i, found, Verdict::good, "", ""});
    else
      out.push_back({i, found, Verdict::advice, "longer bursts find room in the NIC",
                     fmt::format("ethtool -G {} rx {}", i, r->most)});
  }
  return out;
}

}  // namespace probe::doctor::check
