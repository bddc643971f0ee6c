#include "exporter/text/value.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <bit>
#include <iterator>

namespace probe {
namespace {

std::string_view hexadecimal(const std::uint8_t* octets, std::size_t count, std::string_view between,
                             std::string& scratch) {
  scratch.clear();
  for (std::size_t i = 0; i < count; ++i)
    fmt::format_to(std::back_inserter(scratch), "{}{:02x}", i == 0 ? std::string_view() : between, octets[i]);
  return scratch;
}

}  // namespace

Value value_of(const Record& r, std::size_t place, std::string& scratch) {
  switch (schema::kElements[r.layout().places[place].element].shape.type) {
    case schema::Type::text:
      return r.text(place);
    case schema::Type::microseconds:
      return static_cast<std::uint64_t>(nanos_of_ntp(r.number(place)) / kMicrosecond);
    case schema::Type::ipv4: {
      const auto a = static_cast<std::uint32_t>(r.number(place));
      scratch = fmt::format("{}.{}.{}.{}", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
      return scratch;
    }
    case schema::Type::ipv6: {
      scratch.resize(INET6_ADDRSTRLEN);
      inet_ntop(AF_INET6, r.octets(place), scratch.data(), INET6_ADDRSTRLEN);
      scratch.resize(scratch.find('\0'));
      return scratch;
    }
    case schema::Type::mac:
      return hexadecimal(r.octets(place), 6, ":", scratch);
    case schema::Type::octets3:
      return hexadecimal(r.octets(place), 3, "", scratch);
    case schema::Type::f64:
      return std::bit_cast<double>(r.number(place));
    default:
      return r.number(place);
  }
}

}  // namespace probe
