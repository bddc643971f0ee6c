#include "probe/dpdk/pci_address.h"

#include <algorithm>
#include <string_view>

namespace probe::dpdk {
namespace {

bool hexadecimal(std::string_view text, std::size_t least, std::size_t most) {
  return text.size() >= least && text.size() <= most && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

// "03:00.0": bus, device, function.
bool bus_address(std::string_view text) {
  return text.size() == 7 && hexadecimal(text.substr(0, 2), 2, 2) && text[2] == ':' &&
         hexadecimal(text.substr(3, 2), 2, 2) && text[5] == '.' && text[6] >= '0' && text[6] <= '7';
}

}  // namespace

std::string pci_address(const std::string& wanted) {
  const std::string_view all = std::string_view(wanted).substr(0, wanted.find(','));
  if (bus_address(all)) return std::string("0000:").append(all);
  const std::size_t colon = all.find(':');
  if (colon == all.npos || !hexadecimal(all.substr(0, colon), 4, 8) || !bus_address(all.substr(colon + 1))) return "";
  return std::string(all);
}

}  // namespace probe::dpdk
