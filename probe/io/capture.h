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

class ByteSource;

struct CaptureError {
  std::string message;       // empty: the capture was read to its end. Else a sentence: what, where, how much was read
  std::uint64_t offset = 0;  // in the (decompressed) file
};

// One capture. Every frame it hands out has at most wire_length octets, and a time that only goes back where the
// capture's own times do.
class Capture {
 public:
  // A file, a FIFO, or standard input for "-". Format and compression are told by content, not by name. Throws
  // std::runtime_error with a sentence for a person if the file cannot be opened or is no capture.
  static std::unique_ptr<Capture> open(const std::string& path, Counters&);
  // The same for octets that come from elsewhere; `name` is what messages call them.
  static std::unique_ptr<Capture> open(std::unique_ptr<ByteSource>, const std::string& name, Counters&);
  virtual ~Capture() = default;

  // Fills `frames` from the front, in file order; 0 only at the end of the capture. It may return fewer than there is
  // room for. Views are good until the next call.
  virtual std::size_t read(std::span<Frame> frames) = 0;

  // After the end: what was wrong with the rest of the file, if anything.
  virtual const CaptureError& error() const = 0;

  // Octets of the file read so far, as they lie on the disk, and its size (0 if unknown, as for a pipe), for progress.
  virtual std::uint64_t position() const = 0;
  virtual std::uint64_t size() const = 0;
};

}  // namespace probe::io
