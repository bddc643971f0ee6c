// Parameters of SVCB and HTTPS records (RFC 9460 §2.1, §14.3.2).
#pragma once

#include "dissectors/kit/text_writer.h"
#include "probe/base/bytes.h"

namespace probe::dns {

// Writes `key=value` pairs to the end of `c`; false if they are malformed.
bool write_service_parameters(Cursor& c, TextWriter& out);

}  // namespace probe::dns
