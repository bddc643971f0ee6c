// IP addresses as text (RFC 5952 for IPv6).
#pragma once

#include <cstdint>
#include <span>

#include "dissectors/kit/text_writer.h"

namespace probe {

void write_ipv4(std::span<const std::uint8_t, 4> address, TextWriter& out);
void write_ipv6(std::span<const std::uint8_t, 16> address, TextWriter& out);

}  // namespace probe
