#include "probe/dpdk/drivers.h"

#include <algorithm>

namespace probe::dpdk {
namespace {

// From the drivers' sources and from measurements. A counter that stays 0 while packets are lost is worse than none.
constexpr Driver kDrivers[] = {
    {.name = "net_af_packet",
     .counts_missed = false,
     .counts_errors = false,
     .spread = Spread::itself,
     .stamp = Stamp::nanoseconds,
     .tells_link = false,
     .warning =
         "net_af_packet cannot tell what the kernel dropped, has no time stamps, cuts frames at framesz without a "
         "word, and lets the kernel reassemble IP fragments and, when a queue is full, move flows to another one: use "
         "the kernel source (socket:INTERFACE) instead, or a large framecnt"},
    {.name = "net_af_xdp",
     .counts_missed = false,
     .counts_errors = false,
     .spread = Spread::itself,
     .tells_link = false,
     .warning =
         "net_af_xdp cannot tell what was dropped because its ring was full, and takes the traffic away from the "
         "kernel: not for an interface that is used otherwise"},
    {.name = "net_tap",
     .counts_missed = false,
     .counts_errors = false,
     .spread = Spread::itself,
     .needs_tx = true,
     .warning = "net_tap reads about 30 000 packets/s and cannot tell what it lost: use the kernel source "
                "(socket:INTERFACE) instead"},
    {.name = "net_memif",
     .counts_missed = false,
     .counts_errors = false,
     .spread = Spread::sender,
     .needs_tx = true,
     .warning = "what net_memif's sender could not deliver only the sender knows"},
    {.name = "net_ring",
     .counts_missed = false,
     .counts_no_memory = false,
     .counts_errors = false,
     .spread = Spread::sender,
     .stamp = Stamp::nanoseconds},
    {.name = "net_null", .spread = Spread::sender},
    {.name = "net_pcap",
     .counts_missed = false,
     .spread = Spread::sender,
     .stamp = Stamp::microseconds,
     .warning = "net_pcap rounds times to microseconds, loses the wire length and the link type, and never ends: "
                "`augprobe replay` reads a capture as it is"},
    {.name = "net_vhost",
     .counts_missed = false,
     .spread = Spread::sender,
     .warning = "what net_vhost's guest could not deliver only the guest knows"},
    {.name = "net_virtio",
     .counts_missed = false,
     .warning =
         "what the host dropped because a queue of virtio was full it does not tell the guest: look at the host's "
         "counters"},
    {.name = "net_virtio_user",
     .counts_missed = false,
     .warning = "what the other side of net_virtio_user dropped because a queue was full is unknown here"},
};

constexpr Driver kAnyNic{};

}  // namespace

const Driver& driver(std::string_view name) {
  const auto* found =
      std::find_if(std::begin(kDrivers), std::end(kDrivers), [&](const Driver& d) { return d.name == name; });
  return found == std::end(kDrivers) ? kAnyNic : *found;
}

}  // namespace probe::dpdk
