#include "probe/dpdk/eal.h"

#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <sched.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace probe::dpdk {
namespace {

constexpr std::size_t kMega = 1 << 20;

std::string mega(std::size_t octets) { return std::to_string((octets + kMega - 1) / kMega); }

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> all;
  for (std::string word; in >> word;) all.push_back(word);
  return all;
}

// "-m" is given as "-m 64", "-m64", "--socket-mem=64" or "--socket-mem 64".
bool given(const std::vector<std::string>& extra, std::initializer_list<std::string_view> names) {
  return std::any_of(extra.begin(), extra.end(), [&](std::string_view word) {
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
      if (name.starts_with("--")) return word == name || (word.starts_with(name) && word[name.size()] == '=');
      return word.starts_with(name) && !word.starts_with("--");
    });
  });
}

void choose_memory(const EalOptions& options, std::size_t there, const std::vector<std::string>& extra,
                   EalStart& start) {
  if (given(extra, {"--no-huge", "--in-memory", "--huge-dir", "--socket-mem", "--legacy-mem"})) {
    start.hugepages = !given(extra, {"--no-huge"});
    start.notes.push_back("DPDK's memory is as its extra arguments say");
    return;
  }
  const std::size_t wanted = options.memory + kOfEal;
  const std::string remedy =
      "`sysctl vm.nr_hugepages=" + std::to_string((wanted / 2 + kMega - 1) / kMega) + "` makes room";
  start.hugepages = options.hugepages != Hugepages::never && there >= wanted;
  if (options.hugepages == Hugepages::required && !start.hugepages)
    throw std::runtime_error("DPDK needs " + mega(wanted) + " MB in hugepages and " + mega(there) +
                             " MB are free: " + remedy);
  if (start.hugepages) {
    start.arguments.push_back("--in-memory");  // neither a mounted hugetlbfs nor files that outlive the process
    start.notes.push_back("DPDK's buffers are in hugepages");
    return;
  }
  start.arguments.insert(start.arguments.end(), {"--no-huge", "--no-shconf"});
  if (!given(extra, {"-m"})) start.arguments.insert(start.arguments.end(), {"-m", mega(wanted)});
  start.notes.push_back(
      "DPDK's buffers are in pages of 4 kB, which doubles what handling a buffer costs (about 10 ns a packet): " +
      (options.hugepages == Hugepages::never
           ? "the configuration wants no hugepages"
           : mega(wanted) + " MB in hugepages are needed, " + mega(there) + " MB are free; " + remedy));
  if (!options.pci.empty())
    start.notes.push_back(
        "a PCI port without hugepages needs the driver vfio-pci and an IOMMU (intel_iommu=on or AMD's)");
}

unsigned first_cpu_of(const cpu_set_t& cpus) {
  unsigned cpu = 0;
  while (cpu + 1 < CPU_SETSIZE && !CPU_ISSET(cpu, &cpus)) ++cpu;
  return cpu;
}

EalStart& chosen() {
  static EalStart start;
  return start;
}

bool started = false;

std::string reason(int error) {
  switch (error) {
    case EALREADY:
      return "EAL was started before in this process, which works once only";
    case EACCES:
      return "no permission: run as root or give the process the capabilities of the systemd unit";
    case ENOMEM:
      return "not enough memory";
    case EINVAL:
      return "one of its arguments is wrong";
    default:
      return rte_strerror(error);
  }
}

}  // namespace

std::size_t free_hugepages() {
  std::size_t octets = 0;
  std::error_code none;
  for (const auto& size : std::filesystem::directory_iterator("/sys/kernel/mm/hugepages", none)) {
    const std::string name = size.path().filename();  // hugepages-2048kB
    std::size_t pages = 0;
    if (std::ifstream(size.path() / "free_hugepages") >> pages && name.starts_with("hugepages-"))
      octets += pages * std::stoul(name.substr(10)) * 1024;
  }
  return octets;
}

EalStart plan_eal(const EalOptions& options, std::size_t hugepages, unsigned first_cpu) {
  const std::vector<std::string> extra = words(options.extra);
  EalStart start;
  start.arguments = {"augprobe"};
  if (!given(extra, {"-l", "-c", "--lcores", "-s", "-S"}))
    start.arguments.push_back("--lcores=0@" + std::to_string(options.main_cpu.value_or(first_cpu)));
  choose_memory(options, hugepages, extra, start);
  if (!given(extra, {"--telemetry", "--no-telemetry"})) start.arguments.push_back("--no-telemetry");
  if (!given(extra, {"-a", "--allow", "-b", "--block", "--no-pci"})) {
    if (options.pci.empty()) start.arguments.push_back("--no-pci");
    for (const std::string& address : options.pci) start.arguments.insert(start.arguments.end(), {"-a", address});
  }
  start.arguments.insert(start.arguments.end(), extra.begin(), extra.end());
  return start;
}

const EalStart& start_eal(const EalOptions& options) {
  if (started) return chosen();
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  pthread_getaffinity_np(pthread_self(), sizeof cpus, &cpus);
  chosen() = plan_eal(options, free_hugepages(), first_cpu_of(cpus));

  take_over_log(options.log);
  const Said said;
  static std::vector<std::string> kept = chosen().arguments;  // EAL keeps pointers into them
  std::vector<char*> arguments;
  std::string line;
  for (std::string& argument : kept) {
    arguments.push_back(argument.data());
    line += (line.empty() ? "" : " ") + argument;
  }
  arguments.push_back(nullptr);
  const int result = rte_eal_init(static_cast<int>(kept.size()), arguments.data());
  // EAL ties the thread that starts it, and so every thread that this one starts, to one CPU.
  pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus);
  if (result < 0)
    throw std::runtime_error("DPDK does not start: " + reason(rte_errno) + " (`" + line + "`: " + said.text() + ")");
  started = true;
  return chosen();
}

bool eal_started() { return started; }

}  // namespace probe::dpdk
