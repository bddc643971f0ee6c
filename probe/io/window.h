// The part of a byte source that is in memory: a block that slides over it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "probe/base/bytes.h"
#include "probe/io/byte_source.h"

namespace probe::io {

class Window {
 public:
  // What one read asks the source for. The kernel copies a block of this size into the processor's second level cache,
  // where the parser then finds it; blocks from 128 KiB to 1 MiB cost the same, larger ones more.
  static constexpr std::size_t kBlock = std::size_t{256} << 10;

  // `largest`: how much a caller may ever need() at once.
  Window(std::unique_ptr<ByteSource> source, std::size_t largest)
      : source_(std::move(source)), capacity_(largest + kBlock), memory_(new std::uint8_t[capacity_]) {}

  Bytes view() const { return {memory_.get() + begin_, end_ - begin_}; }
  void drop(std::size_t octets) {
    begin_ += octets;
    offset_ += octets;
  }

  // Reads until the view has at least this many octets. False if the source ends before; the view then has all that
  // there is. Every view taken before is void.
  bool need(std::size_t octets);

  // Leaves this many octets behind, in the view and beyond it. False if the source ends before.
  bool skip(std::uint64_t octets);

  // Of the view's first octet, in the source.
  std::uint64_t offset() const { return offset_; }
  const ByteSource& source() const { return *source_; }

 private:
  std::unique_ptr<ByteSource> source_;
  const std::size_t capacity_;
  const std::unique_ptr<std::uint8_t[]> memory_;  // not initialised: pages stay untouched until a large record comes
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t offset_ = 0;
};

}  // namespace probe::io
