// Octets in memory as a byte source, handed out in pieces of a size that the test chooses.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "probe/base/bytes.h"
#include "probe/io/byte_source.h"

namespace probe::test {

class MemorySource final : public io::ByteSource {
 public:
  // `failure`: what the source says after its last octet; empty: that this was the end.
  explicit MemorySource(Bytes octets, std::size_t piece = SIZE_MAX, std::string failure = {})
      : octets_(octets.begin(), octets.end()), piece_(piece), failure_at_end_(std::move(failure)) {}

  std::size_t read(std::span<std::uint8_t> into) override {
    const std::size_t n = std::min({into.size(), piece_, octets_.size() - position_});
    if (n > 0) std::memcpy(into.data(), octets_.data() + position_, n);
    if (n == 0) failure_ = failure_at_end_;
    position_ += n;
    return n;
  }
  std::uint64_t position() const override { return position_; }
  std::uint64_t size() const override { return octets_.size(); }

 private:
  const std::vector<std::uint8_t> octets_;
  const std::size_t piece_;
  const std::string failure_at_end_;
  std::size_t position_ = 0;
};

}  // namespace probe::test
