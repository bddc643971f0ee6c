// Addresses of PCI in what names a port.
#pragma once

#include <string>

namespace probe::dpdk {

// "0000:03:00.0" of what `wanted` says, if that is an address of PCI ("03:00.0", "0000:03:00.0,options"); else empty.
std::string pci_address(const std::string& wanted);

}  // namespace probe::dpdk
