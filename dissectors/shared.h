// What the sessions of all workers know together.
#pragma once

#include <cstddef>

#include "dissectors/kit/media_table.h"
#include "dissectors/kit/quic_connections.h"

namespace probe {

struct SharedOptions {
  std::size_t media_endpoints = 1 << 10;
  std::size_t quic_connections = 1 << 10;
};

struct Shared {
  explicit Shared(const SharedOptions& o = {}) : media(o.media_endpoints), connections(2 * o.quic_connections) {}

  MediaTable media;                   // that signalling announced
  quic::ConnectionTable connections;  // under one or two IDs each

  std::size_t octets() const { return media.octets() + connections.octets(); }
};

}  // namespace probe
