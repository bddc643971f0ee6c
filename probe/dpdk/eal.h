// Starts DPDK's environment (EAL), which a process can do once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "probe/dpdk/said.h"

namespace probe::dpdk {

// automatic: if as many are free as are needed.
enum class Hugepages : std::uint8_t { automatic, never, required };

// What EAL itself takes, in octets: rings, port data, mbuf fields; 25 MB were seen at most.
inline constexpr std::size_t kOfEal = 32 << 20;

struct EalOptions {
  Hugepages hugepages = Hugepages::automatic;
  std::size_t memory = 64 << 20;      // octets that the ports need: the sum of memory_needed(); EAL's own come on top
  std::vector<std::string> pci = {};  // addresses of ports; no other device of PCI is touched
  std::optional<unsigned> main_cpu = {};  // of EAL's own, idle thread; else the first one that the process may use
  std::string extra = {};                 // EAL arguments as one would type them; they replace ours of the same kind
  LogSink log = {};                       // else standard error
};

struct EalStart {
  std::vector<std::string> arguments;
  bool hugepages = false;
  std::vector<std::string> notes;  // what was chosen and what it costs, with the remedy
};

// Octets in hugepages that nobody has taken.
std::size_t free_hugepages();

// What start_eal() will choose on a machine with so much in free hugepages. Throws if hugepages are required and
// missing.
EalStart plan_eal(const EalOptions& options, std::size_t hugepages, unsigned first_cpu);

// Starts EAL; the second call says what the first one chose. The calling thread keeps its CPUs. Throws
// std::runtime_error with what EAL said.
const EalStart& start_eal(const EalOptions& options);

bool eal_started();

}  // namespace probe::dpdk
