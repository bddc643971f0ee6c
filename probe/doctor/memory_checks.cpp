// Memory: enough of it, in pages that are large enough.
#include <fmt/format.h>

#include "probe/doctor/doctor.h"

namespace probe::doctor::check {
namespace {

constexpr std::uint64_t kMegabyte = 1 << 20;

std::string megabytes(std::uint64_t octets) { return fmt::format("{} MB", (octets + kMegabyte - 1) / kMegabyte); }

struct Huge {
  std::uint64_t size = 0, total = 0, free = 0;  // octets; of all sizes of pages together
};
Huge huge_memory(const Machine& m) {
  Huge h;
  for (const std::string& name : m.names("sys/kernel/mm/hugepages")) {  // hugepages-2048kB
    const std::uint64_t size =
        value_of("size:" + name.substr(std::min(name.find('-') + 1, name.size())), "size").value_or(0) * 1024;
    const std::string folder = fmt::format("sys/kernel/mm/hugepages/{}/", name);
    h.total +=
        size * static_cast<std::uint64_t>(std::max<std::int64_t>(0, m.number(folder + "nr_hugepages").value_or(0)));
    h.free +=
        size * static_cast<std::uint64_t>(std::max<std::int64_t>(0, m.number(folder + "free_hugepages").value_or(0)));
  }
  h.size = value_of(m.text("proc/meminfo").value_or(""), "Hugepagesize").value_or(0) * 1024;
  return h;
}

std::string mounts_of_hugepages(const Machine& m) {
  const std::string mounts = m.text("proc/mounts").value_or("");
  const std::size_t at = mounts.find(" hugetlbfs ");
  if (at == mounts.npos) return "";
  const std::size_t begin = mounts.rfind(' ', at - 1) + 1;
  return fmt::format(", mounted at {}", mounts.substr(begin, at - begin));
}

}  // namespace

Findings memory(const Machine& m, const Wanted& w) {
  const auto available = value_of(m.text("proc/meminfo").value_or(""), "MemAvailable");
  if (!available) return {{"", "not known", Verdict::good, "", ""}};
  const std::uint64_t need = w.octets + (w.dpdk && !w.hugepages ? w.dpdk_octets : 0);
  const std::string found = fmt::format("{} available, {} configured", megabytes(*available * 1024), megabytes(need));
  if (need <= *available * 1024) return {{"", found, Verdict::good, "", ""}};
  return {{"", found, Verdict::problem, "under load the kernel would end the probe when memory is used up",
           "--set flow.capacity=N, smaller; or records.*, dissect.* (augprobe options)"}};
}

Findings hugepages(const Machine& m, const Wanted& w) {
  const Huge h = huge_memory(m);
  const std::string found =
      h.total == 0 ? std::string("none")
                   : fmt::format("{} of {} free{}", megabytes(h.free), megabytes(h.total), mounts_of_hugepages(m));
  if (!w.dpdk) return {{"", found + "; no DPDK port is configured", Verdict::good, "", ""}};
  const std::uint64_t size = h.size == 0 ? 2 * kMegabyte : h.size;
  // What others hold is not ours: as many more as are missing.
  const std::uint64_t missing = h.free >= w.dpdk_octets ? 0 : w.dpdk_octets - h.free;
  const std::string remedy = fmt::format("sysctl -w vm.nr_hugepages={}", (h.total + missing + size - 1) / size);
  if (w.hugepages && missing > 0)
    return {{"", fmt::format("{}; {} needed", found, megabytes(w.dpdk_octets)), Verdict::problem,
             "DPDK cannot begin without the memory it was promised", remedy}};
  if (!w.hugepages)
    return {{"", fmt::format("{}; {} would be needed", found, megabytes(w.dpdk_octets)), Verdict::advice,
             "buffers of packets cost half as much, and a physical NIC needs them in most cases",
             missing == 0 ? std::string("--set dpdk.hugepages=automatic") : remedy}};
  return {{"", found, Verdict::good, "", ""}};
}

Findings transparent_hugepages(const Machine& m, const Wanted&) {
  const std::string modes = m.text("sys/kernel/mm/transparent_hugepage/enabled").value_or("");
  const std::size_t begin = modes.find('[');
  if (begin == modes.npos) return {{"", "not in this kernel", Verdict::good, "", ""}};
  const std::string mode = modes.substr(begin + 1, modes.find(']') - begin - 1);
  if (mode != "never") return {{"", mode, Verdict::good, "", ""}};
  return {{"", mode, Verdict::advice, "flow tables lie in few large pages: fewer waits for the memory of a flow",
           "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"}};
}

}  // namespace probe::doctor::check
