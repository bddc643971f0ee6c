// Cores: enough of them, kept free, at full speed.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "probe/doctor/doctor.h"

namespace probe::doctor::check {
namespace {

std::vector<unsigned> cpus_in(const Machine& m, std::string_view file) { return cpu_list(m.text(file).value_or("")); }

std::vector<unsigned> online(const Machine& m) { return cpus_in(m, "sys/devices/system/cpu/online"); }

// The last ones: the first core does what the kernel does not distribute.
std::vector<unsigned> cores_for_workers(const Machine& m, std::size_t workers) {
  const std::vector<unsigned> all = online(m);
  if (all.size() < 2) return {};
  const std::size_t n = std::min(workers, all.size() - 1);
  return {all.end() - static_cast<std::ptrdiff_t>(n), all.end()};
}

}  // namespace

Findings cores(const Machine& m, const Wanted& w) {
  const std::size_t n = online(m).size();
  const std::string found =
      fmt::format("{} online, {} {} configured", n, w.workers, w.workers == 1 ? "worker" : "workers");
  if (n == 0 || w.workers < n || (!w.dpdk && w.workers == n)) return {{"", found, Verdict::good, "", ""}};
  return {
      {"", found, Verdict::advice,
       w.dpdk ? "each worker polls and keeps a core busy; export and the system need one too"
              : "more workers than cores only wait for each other",
       fmt::format("--set capture.workers={} (or the same in the configuration)", std::max<std::size_t>(1, n - 1))}};
}

Findings isolated_cores(const Machine& m, const Wanted& w) {
  const std::vector<unsigned> isolated = cpus_in(m, "sys/devices/system/cpu/isolated");
  const std::vector<unsigned> quiet = cpus_in(m, "sys/devices/system/cpu/nohz_full");
  const std::string found =
      fmt::format("isolated {}, without timer ticks {}", isolated.empty() ? "none" : as_cpu_list(isolated),
                  quiet.empty() ? "none" : as_cpu_list(quiet));
  // Workers that read sockets sleep when there is nothing: the scheduler may have their cores.
  if (!w.dpdk) return {{"", found, Verdict::good, "", ""}};
  if (w.cpus.empty() && isolated.size() >= w.workers)
    return {{"", found, Verdict::advice, "the kernel puts nobody on isolated cores who does not ask for them",
             fmt::format("--set capture.cpus={}", as_cpu_list(isolated))}};
  const auto covered = [&](const std::vector<unsigned>& set) {
    return std::ranges::all_of(w.cpus, [&](unsigned c) { return std::ranges::find(set, c) != set.end(); });
  };
  if (!w.cpus.empty() && covered(isolated) && covered(quiet)) return {{"", found, Verdict::good, "", ""}};
  const std::vector<unsigned> choice = w.cpus.empty() ? cores_for_workers(m, w.workers) : w.cpus;
  if (choice.empty()) return {{"", found + "; only one core", Verdict::good, "", ""}};
  const std::string list = as_cpu_list(choice);
  return {{"", found, Verdict::advice,
           "no other process and no timer interrupts a worker: fewer drops when load is near the limit",
           fmt::format("kernel command line: isolcpus=managed_irq,domain,{0} nohz_full={0} rcu_nocbs={0}{1}", list,
                       w.cpus.empty() ? fmt::format("; capture.cpus = \"{}\"", list) : "")}};
}

Findings numa(const Machine& m, const Wanted& w) {
  if (cpus_in(m, "sys/devices/system/node/online").size() < 2) return {};
  Findings out;
  std::vector<unsigned> near;  // CPUs of all nodes that have a NIC of the configuration
  const auto look_at = [&](const std::string& port, const std::string& file) {
    const std::int64_t node = m.number(file).value_or(-1);
    if (node < 0) return;  // virtual
    const std::vector<unsigned> cpus = cpus_in(m, fmt::format("sys/devices/system/node/node{}/cpulist", node));
    near.insert(near.end(), cpus.begin(), cpus.end());
    out.push_back({port, fmt::format("{}, CPUs {}", node, as_cpu_list(cpus)), Verdict::good, "", ""});
  };
  for (const std::string& i : w.interfaces) look_at(i, fmt::format("sys/class/net/{}/device/numa_node", i));
  for (const std::string& a : w.pci) look_at(a, fmt::format("sys/bus/pci/devices/{}/numa_node", a));
  std::vector<unsigned> far;
  for (const unsigned c : w.cpus)
    if (std::ranges::find(near, c) == near.end()) far.push_back(c);
  // Who sleeps between packets wakes where the kernel wants it; who polls stays where it was begun.
  const bool anywhere = w.cpus.empty() && w.dpdk;
  if (out.empty() || near.empty() || (far.empty() && !anywhere)) return out;
  if (near.size() > w.workers) near.resize(w.workers);
  out.push_back({"",
                 anywhere ? std::string("workers are tied to no CPU")
                          : fmt::format("CPUs {} of capture.cpus are of a node without a port", as_cpu_list(far)),
                 Verdict::advice, "packets do not cross from one processor's memory to another's",
                 fmt::format("--set capture.cpus={}", as_cpu_list(near))});
  return out;
}

Findings governor(const Machine& m, const Wanted&) {
  std::set<std::string> governors;
  for (const unsigned cpu : online(m))
    if (const auto g = m.text(fmt::format("sys/devices/system/cpu/cpu{}/cpufreq/scaling_governor", cpu)))
      governors.insert(*g);
  if (governors.empty()) return {{"", "not to be chosen here", Verdict::good, "", ""}};
  const std::string found = fmt::format("{}", fmt::join(governors, ", "));
  if (governors == std::set<std::string>{"performance"}) return {{"", found, Verdict::good, "", ""}};
  return {{"", found, Verdict::advice, "cores do not slow down between bursts and need not speed up within them",
           "cpupower frequency-set --governor performance"}};
}

Findings irqbalance(const Machine& m, const Wanted& w) {
  const std::vector<std::string> processes = m.names("proc");
  const bool running = std::ranges::any_of(processes, [&](const std::string& p) {
    return p.find_first_not_of("0123456789") == p.npos && m.text(fmt::format("proc/{}/comm", p)) == "irqbalance";
  });
  if (!running) return {{"", "not running", Verdict::good, "", ""}};
  const std::vector<unsigned> choice = cores_for_workers(m, w.workers);
  if (choice.empty()) return {{"", "running; only one core", Verdict::good, "", ""}};
  return {{"", "running", Verdict::advice,
           "interrupts stay away from the workers' cores, and those of a NIC stay on theirs",
           fmt::format("echo IRQBALANCE_BANNED_CPULIST={} >> /etc/default/irqbalance && systemctl restart irqbalance",
                       as_cpu_list(choice))}};
}

}  // namespace probe::doctor::check
