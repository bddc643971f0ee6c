// What a NIC or its driver does to frames before anyone else sees them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "probe/live/link_info.h"

namespace probe::live {

// Absent: the driver does not have it, or cannot be asked.
struct Offloads {
  std::optional<bool> gro;           // the kernel puts received segments together
  std::optional<bool> gro_list;      // the same in lists
  std::optional<bool> gro_hardware;  // the NIC does
  std::optional<bool> lro;           // the NIC or the driver does, and cannot take it back
  std::optional<bool> tso, gso;      // segments of this machine are cut after captures have seen them
};

Offloads read_offloads(const std::string& interface);
// Of the driver: "ixgbe", "virtio_net"; empty if it cannot be asked.
std::string read_driver(const std::string& interface);

// A sentence for each of what falsifies segments, with the command against it. `outgoing`: frames that this machine
// sends are captured too. `peer`: the offloads of a veth pair's other end, if they can be read.
std::vector<std::string> offload_warnings(const std::string& interface, const LinkInfo&, const Offloads&,
                                          const Offloads& peer, bool outgoing);

}  // namespace probe::live
