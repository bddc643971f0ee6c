// Rights, time and sockets.
#include <fmt/format.h>
#include <linux/capability.h>

#include <cstdlib>

#include "probe/doctor/doctor.h"

namespace probe::doctor::check {
namespace {

struct Capability {
  unsigned number;
  std::string_view name;  // as setcap(8) takes it
  std::string_view gain;
  bool (*needed)(const Wanted&);  // to capture at all
  bool (*useful)(const Wanted&);
};
constexpr Capability kCapabilities[] = {
    {CAP_NET_RAW, "cap_net_raw", "packets of an interface cannot be read without it",
     [](const Wanted& w) { return !w.interfaces.empty(); }, [](const Wanted& w) { return !w.interfaces.empty(); }},
    {CAP_NET_ADMIN, "cap_net_admin", "promiscuous mode and offloads of an interface can be set",
     [](const Wanted&) { return false; }, [](const Wanted& w) { return !w.interfaces.empty() || w.dpdk; }},
    {CAP_IPC_LOCK, "cap_ipc_lock", "memory that a NIC writes to can be locked",
     [](const Wanted& w) { return !w.pci.empty(); }, [](const Wanted& w) { return w.dpdk; }},
};

// Linux's default; a burst of messages of a second at the rate of a target fits into it more than once.
constexpr std::int64_t kSendBuffer = 212'992;

}  // namespace

Findings capabilities(const Machine& m, const Wanted& w) {
  const std::string status = m.text("proc/self/status").value_or("");
  const std::size_t at = status.find("CapEff:");
  if (at == status.npos) return {{"", "not known", Verdict::good, "", ""}};
  const std::uint64_t have = std::strtoull(status.c_str() + at + 7, nullptr, 16);
  std::vector<std::string_view> has, lacks;
  Finding f;
  for (const Capability& c : kCapabilities) {
    if ((have >> c.number & 1) != 0) {
      has.push_back(c.name);
      continue;
    }
    if (!c.useful(w)) continue;
    lacks.push_back(c.name);
    const Verdict v = c.needed(w) ? Verdict::problem : Verdict::advice;
    if (v > f.verdict) f.gain = c.gain;
    f.verdict = std::max(f.verdict, v);
  }
  f.found = has.empty() ? std::string("none of those that capture needs") : fmt::format("{}", fmt::join(has, ", "));
  if (!lacks.empty()) {
    f.found += fmt::format("; not {}", fmt::join(lacks, ", "));
    f.remedy = "systemctl start augprobe # its unit has them; or be root";
  }
  return {f};
}

Findings clock_source(const Machine& m, const Wanted&) {
  const std::string folder = "sys/devices/system/clocksource/clocksource0/";
  const auto current = m.text(folder + "current_clocksource");
  if (!current) return {{"", "not known", Verdict::good, "", ""}};
  // The others are read from a device, behind a system call.
  for (const std::string_view fast : {"tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter"})
    if (*current == fast) return {{"", *current, Verdict::good, "", ""}};
  const bool has_tsc = m.text(folder + "available_clocksource").value_or("").find("tsc") != std::string::npos;
  return {{"", *current, Verdict::advice, "reading the time costs 30 ns and no system call",
           has_tsc ? fmt::format("echo tsc > /{}current_clocksource", folder)
                   : "kernel command line: tsc=reliable clocksource=tsc"}};
}

Findings clock_synchronised(const Machine& m, const Wanted&) {
  const auto clock = m.calls().clock();
  if (!clock) return {{"", "not known", Verdict::good, "", ""}};
  if (clock->synchronised)
    return {{"", fmt::format("synchronised, at most {:.1f} ms off", static_cast<double>(clock->most_off_us) / 1e3),
             Verdict::good, "", ""}};
  return {{"", "not synchronised", Verdict::advice, "times of records can be compared with those of other machines",
           "apt install chrony # or: timedatectl set-ntp true"}};
}

Findings send_buffer(const Machine& m, const Wanted& w) {
  const auto octets = m.number("proc/sys/net/core/wmem_default");
  if (!w.udp_export || !octets) return {};
  const std::string found = fmt::format("{} octets a socket", *octets);
  if (*octets >= kSendBuffer) return {{"", found, Verdict::good, "", ""}};
  return {{"", found, Verdict::advice, "bursts of IPFIX messages over UDP find room",
           fmt::format("sysctl -w net.core.wmem_default={0} net.core.wmem_max={0}", kSendBuffer)}};
}

}  // namespace probe::doctor::check
