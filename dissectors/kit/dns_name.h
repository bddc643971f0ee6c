// Domain names on the wire (RFC 1035 §3.1, §4.1.4).
#pragma once

#include <cstddef>

#include "dissectors/kit/text_writer.h"
#include "probe/base/bytes.h"

namespace probe::dns {

enum class Read : std::uint8_t { good, cut, malformed };  // cut: the message ends before the name does

// Both move `at` behind the name that begins there; it stays where it was if the name is not good.
//
// Writes labels in lower case, with dots between them, the root as "."; other than printable octets, and what could be
// taken for a separator (. \ , " and the blank), are escaped (RFC 4343 §2.1).
Read read_name(Bytes message, std::size_t& at, TextWriter& out);
// Looks at the labels up to the end or the first pointer.
Read skip_name(Bytes message, std::size_t& at);

}  // namespace probe::dns
