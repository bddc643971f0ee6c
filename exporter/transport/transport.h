// Carries encoded IPFIX messages: UDP, TCP, a file, or nowhere. Knows nothing of what is in them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exporter/transport/url.h"
#include "probe/base/bytes.h"

namespace probe {

// What a message holds, or what became of many.
struct Tally {
  std::uint64_t records = 0, data_records = 0;
  Tally& operator+=(const Tally& o) {
    records += o.records;
    data_records += o.data_records;
    return *this;
  }
};

struct Books {
  std::uint64_t messages = 0, octets = 0;  // sent
  Tally sent, queue_full, failed;
  std::uint64_t connections = 0;
  std::string trouble;  // the last, as a sentence
};

struct TransportOptions {
  bool live = false;  // see TargetOptions
  // What a collector that is new must hear before any data: the templates. Over TCP, messages without data records that
  // still wait are dropped then, because the greeting says what they say.
  std::function<std::vector<std::vector<std::uint8_t>>()> greeting;
};

// For one thread. Nothing but finish() and, in a replay or when told so, send() ever waits.
class Transport {
 public:
  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  virtual void send(Bytes message, const Tally&) = 0;
  virtual void turn() {}
  virtual void flush() {}  // what is buffered here goes out
  virtual void finish() = 0;
  // Live: the end has come. Until then send() rather waits for a peer that takes something than to drop; finish() waits
  // no longer than that.
  virtual void wait_until(std::chrono::steady_clock::time_point end) { end_ = end; }

  // The most that a message should have.
  virtual std::size_t message_octets() const = 0;
  // Seconds after which templates must be sent again although nothing was lost that we know of; 0: never.
  virtual std::uint32_t refresh_seconds() const { return 0; }

  const Books& books() const { return books_; }

 protected:
  Books books_;
  std::optional<std::chrono::steady_clock::time_point> end_;
};

// Throws std::runtime_error with a sentence.
std::unique_ptr<Transport> open_transport(const Url&, TransportOptions);

}  // namespace probe
