// Captured packets from files: pcap and pcapng, plain or compressed, read by our own block reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "probe/base/counters.h"
#include "probe/packet/frame.h"

namespace probe::io {

struct CaptureError {
  std::string message;       // empty: the capture was read to its end. Else a sentence: what, where, how much was read
  std::uint64_t offset = 0;  // in the (decompressed) file
};

// One capture file, or standard input for "-". Format and compression are told by content, not by name.
class Capture {
 public:
  // Throws std::runtime_error with a sentence for a person if the file cannot be opened or is no capture.
  static std::unique_ptr<Capture> open(const std::string& path, Counters&);
  virtual ~Capture() = default;

  // Fills `frames` from the front, in file order; 0 at the end of the capture. Views are good until the next call.
  virtual std::size_t read(std::span<Frame> frames) = 0;

  // After the end: what was wrong with the rest of the file, if anything.
  virtual const CaptureError& error() const = 0;

  // Octets of the file consumed so far and its size (0 if unknown, as for a pipe), for progress.
  virtual std::uint64_t position() const = 0;
  virtual std::uint64_t size() const = 0;
};

}  // namespace probe::io
