// Where the octets of a capture come from: a file, a pipe, memory, or a decompressor over another source.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace probe::io {

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Fills `into` from the front. At least one octet, unless nothing more will come: then 0, for good.
  virtual std::size_t read(std::span<std::uint8_t> into) = 0;

  // After the end: why the octets end early. Empty if they were all there.
  const std::string& failure() const { return failure_; }

  // Octets taken from the file so far and how many it has (0 if unknown), before any decompression.
  virtual std::uint64_t position() const = 0;
  virtual std::uint64_t size() const = 0;

 protected:
  std::string failure_;
};

// "-" is standard input. Throws std::runtime_error if the path cannot be opened or is a directory.
std::unique_ptr<ByteSource> open_file(const std::string& path);

}  // namespace probe::io
