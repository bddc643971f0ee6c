#include "probe/dpdk/pci_address.h"

#include <regex>

namespace probe::dpdk {

std::string pci_address(const std::string& wanted) {
  static const std::regex kAddress("(?:([0-9a-fA-F]{4,8}):)?([0-9a-fA-F]{2}:[0-9a-fA-F]{2}\\.[0-7])(?:,.*)?");
  std::smatch m;
  if (!std::regex_match(wanted, m, kAddress)) return "";
  return (m[1].matched ? m[1].str() : "0000") + ":" + m[2].str();
}

}  // namespace probe::dpdk
