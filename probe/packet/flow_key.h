// Who a biflow is between: two endpoints in canonical order, so that both directions have the same key.
#pragma once

#include <array>
#include <compare>
#include <cstdint>

#include "probe/base/hash.h"

namespace probe {

// An IPv4 or IPv6 address as two words in host order, so that comparing them compares addresses.
// IPv4 stands in the low 32 bits of `low`.
struct Address {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const Address&) const = default;
};

struct Endpoint {
  Address address;
  std::uint16_t port = 0;
  auto operator<=>(const Endpoint&) const = default;
};

// Compared in full wherever it is looked up: a hash collision never merges two flows.
struct FlowKey {
  Address low_address, high_address;  // the lower endpoint (address, then port) and the higher one
  std::uint64_t scope = 0;            // what else keeps flows apart: VLAN ids and VNI, as the options ask
  std::uint16_t low_port = 0, high_port = 0;
  std::uint8_t protocol = 0;
  std::uint8_t ip_version = 0;
  std::uint16_t spare = 0;
  bool operator==(const FlowKey&) const = default;

  // Writes the two endpoints in canonical order. True if the source is the higher one.
  bool order(const Endpoint& source, const Endpoint& destination) {
    const bool swap = destination < source;
    const Endpoint &low = swap ? destination : source, &high = swap ? source : destination;
    low_address = low.address;
    high_address = high.address;
    low_port = low.port;
    high_port = high.port;
    return swap;
  }

  // The same for IPv4. Which side is the lower one is anybody's guess, so endpoints are ordered as numbers, without a
  // branch.
  bool order_ipv4(std::uint64_t source, std::uint16_t source_port, std::uint64_t destination,
                  std::uint16_t destination_port) {
    const std::uint64_t from = source << 16 | source_port, to = destination << 16 | destination_port;
    const bool swap = to < from;
    const std::uint64_t difference = (from ^ to) & (std::uint64_t{0} - swap);
    const std::uint64_t low = from ^ difference, high = to ^ difference;
    low_address = {0, low >> 16};
    high_address = {0, high >> 16};
    low_port = static_cast<std::uint16_t>(low);
    high_port = static_cast<std::uint16_t>(high);
    return swap;
  }

  std::uint64_t hash() const {
    const std::uint64_t ports =
        std::uint64_t{low_port} << 48 | std::uint64_t{high_port} << 32 | std::uint64_t{protocol} << 8 | ip_version;
    return mix(mix(low_address.low ^ scope, high_address.low),
               mix(low_address.high ^ ports, high_address.high + ports));
  }
};
static_assert(sizeof(FlowKey) == 48, "no padding: the key is hashed and compared as it is");

}  // namespace probe
