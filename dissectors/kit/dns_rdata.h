// The data of DNS records as people write it.
#pragma once

#include <cstdint>

#include "dissectors/kit/text_writer.h"
#include "probe/base/bytes.h"

namespace probe::dns {

inline constexpr std::uint16_t kTypeOpt = 41;

// Writes the data of a record, `length` octets at `at` of `message`, in the presentation format of its type: keys and
// signatures are left out; a type that is not known, or data that does not fit its type, as RFC 3597 §5 says. `length`
// octets must be there.
void write_rdata(Bytes message, std::size_t at, std::size_t length, std::uint16_t type, std::uint16_t klass,
                 TextWriter& out);

}  // namespace probe::dns
