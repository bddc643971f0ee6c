// Text from the wire made into valid UTF-8 (RFC 3629).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace probe {

// Copies `from` to `to`, at most `room` octets and only whole characters; an octet that is not part of valid UTF-8
// becomes U+FFFD. Returns the octets written.
std::size_t copy_utf8(std::uint8_t* to, std::size_t room, std::string_view from);

}  // namespace probe
