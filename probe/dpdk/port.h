// A port of a NIC or a virtual device, read by DPDK.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "probe/live/port.h"

namespace probe::dpdk {

struct PortOptions {
  // An address of PCI ("0000:03:00.0"), a virtual device ("net_af_packet0,iface=eth1"), or the name of a port that is
  // there already.
  std::string device;
  std::uint16_t interface = 0;  // Frame::port of what it reads
  std::uint16_t queues = 1;
  std::uint16_t descriptors = 4096;  // a queue; the driver may want another number
  std::uint16_t mtu = 1500;          // longest payload of a frame; what is longer many NICs drop and count as damaged
  bool promiscuous = true;
  bool hardware_time = true;            // where the driver has it and it can be trusted
  std::uint32_t held = 4096;            // frames of a queue that are read and not yet released
  std::size_t join_octets = 512 << 10;  // of a queue, for frames that come in several buffers
};

// What EAL's memory has to have for such a port, in octets.
std::size_t memory_needed(const PortOptions& options);

// Whether all of these, which open_port() has opened, put both directions of a flow into queues of the same number:
// NICs of one driver do, with our key, and senders that fill queues are trusted. The kernel's hash (net_af_packet) is
// not.
bool spread_alike(std::span<live::Port* const> ports);

// EAL must have been started. Throws std::runtime_error with a sentence that says what to do.
std::unique_ptr<live::Port> open_port(const PortOptions& options);

}  // namespace probe::dpdk
