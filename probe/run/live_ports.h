// Opens what capture.ports names.
#pragma once

#include <cstddef>
#include <string_view>

#include "probe/dpdk/eal.h"
#include "probe/run/live_probe.h"
#include "probe/run/options.h"

namespace probe::run {

// What dpdk.hugepages may be.
struct HugepageChoice {
  std::string_view name;
  dpdk::Hugepages meaning;
};
inline constexpr HugepageChoice kHugepages[] = {{"automatic", dpdk::Hugepages::automatic},
                                                {"required", dpdk::Hugepages::required},
                                                {"never", dpdk::Hugepages::never}};

// Opens all of them; starts DPDK's environment if one of them needs it. Throws std::runtime_error with all that is
// wrong, a sentence each.
LivePorts open_ports(const Options&);

// Octets that the rings of its kernel sockets and the buffers of its DPDK ports take.
struct PortMemory {
  std::size_t sockets = 0, dpdk = 0;
};
PortMemory port_memory(const Options&);

}  // namespace probe::run
