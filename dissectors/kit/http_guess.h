// Tells HTTP/1 from the first octets of a side, and from the protocols that look like it (SIP, RTSP, ICAP, HTTP/2).
#pragma once

#include "dissectors/dissector.h"

namespace probe::http {

Guess guess_http(Bytes first);

}  // namespace probe::http
