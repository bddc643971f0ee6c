// What a capture source hands out: one captured frame, whoever captured it.
#pragma once

#include <cstdint>

#include "probe/base/bytes.h"
#include "probe/base/nanos.h"

namespace probe {

enum class LinkType : std::uint8_t {
  ethernet,
  raw_ip,
  linux_cooked_v1,
  linux_cooked_v2,
  bsd_null,
  bsd_loop,
  ppp,
  unknown
};

// A view: it dies with the burst that it came in.
struct Frame {
  Bytes octets;                   // as captured: a snap length may have cut it
  std::uint32_t wire_length = 0;  // octets on the wire
  LinkType link = LinkType::ethernet;
  bool polled = false;     // `time` is when it was read, with others: nobody stamped it
  std::uint16_t port = 0;  // number of the capture interface, from 0
  Nanos time = 0;
};

}  // namespace probe
