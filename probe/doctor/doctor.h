// `augprobe doctor`: looks at the machine and says what to change, and for which gain.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probe/doctor/machine.h"

namespace probe::doctor {

// What the configuration wants of the machine.
struct Wanted {
  std::vector<std::string> interfaces;  // of the kernel, read through sockets
  std::vector<std::string> pci;         // addresses of NICs that DPDK drives, as 0000:3b:00.0
  bool dpdk = false;                    // any port is DPDK's: workers poll, packets lie in its memory
  bool hugepages = false;         // DPDK's memory is to be of hugepages, and it does not begin without or has them
  std::uint64_t dpdk_octets = 0;  // that memory
  std::uint64_t octets = 0;       // everything else: flow tables, pools, rings
  std::size_t workers = 1;
  std::vector<unsigned> cpus;  // that workers are tied to; empty: the kernel chooses
  bool udp_export = false;
};

enum class Verdict { good, advice, problem };  // problem: the configured capture will not work
std::string_view to_string(Verdict);

struct Finding {
  std::string subject;  // interface, address …; empty: the machine
  std::string found;
  Verdict verdict = Verdict::good;
  std::string gain;    // what the change gives; empty if good
  std::string remedy;  // what to type; empty if good
};
using Findings = std::vector<Finding>;

// One function a check.
namespace check {
#define CHECK(function, name, looks_at) Findings function(const Machine&, const Wanted&);
#include "probe/doctor/checks.inc"
#undef CHECK
}  // namespace check

struct Examined {
  std::string_view check;
  Finding finding;
};
// All checks, in the order of checks.inc.
std::vector<Examined> examine(const Machine&, const Wanted&);
Verdict worst_of(const std::vector<Examined>&);

std::string as_table(const std::vector<Examined>&);
std::string as_json(const std::vector<Examined>&);

}  // namespace probe::doctor
