// Where records go: an IPFIX target, JSON lines, a database, a table.
#pragma once

#include "exporter/record/record.h"

namespace probe {

// Used by one thread. Nothing here throws on the way of a record: trouble with a file or a peer is remembered, counted
// and told at the end. The record belongs to the caller again when put() returns.
class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  virtual void put(const Record&) = 0;
  virtual void turn() {}      // called often, also while nothing comes: what sockets and timers want done; never waits
  virtual void flush() {}     // called about once a second: what was put goes out now, even if it fills no buffer
  virtual void finish() = 0;  // no more comes; what was put is out when this returns, which takes a bounded time
};

}  // namespace probe
