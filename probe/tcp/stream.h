// One direction of a TCP connection put in order: contiguous octets, or a gap of so many.
#pragma once

#include <cstdint>

#include "probe/base/bytes.h"
#include "probe/base/counters.h"
#include "probe/base/nanos.h"
#include "probe/base/pool.h"

namespace probe::tcp {

// Memory for segments that wait for the ones before them and for messages that cross a segment border. One per thread.
class StreamPool;

// What comes next in a stream.
struct Piece {
  Bytes data;              // good until the stream is told how much of it was used
  std::uint64_t gap = 0;   // or so many octets that will never come
  Nanos first = 0;         // when the first and the last octet of `data` passed
  Nanos last = 0;
  bool empty() const { return data.empty() && gap == 0; }
};

class Stream;  // see stream.cpp's owner for the final shape

}  // namespace probe::tcp
