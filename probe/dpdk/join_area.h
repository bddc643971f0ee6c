// Where frames that came in several buffers are put together: a ring of octets, given back in the order it was taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace probe::dpdk {

class JoinArea {
 public:
  explicit JoinArea(std::size_t octets) : octets_(octets), memory_(octets ? new std::uint8_t[octets] : nullptr) {}

  // Contiguous octets, or nullptr if there is no room.
  std::uint8_t* take(std::size_t octets) {
    const bool wraps = head_ + octets > octets_;
    const std::size_t skipped = wraps ? octets_ - head_ : 0;
    if (used_ + skipped + octets > octets_) return nullptr;
    std::uint8_t* begin = memory_.get() + (wraps ? 0 : head_);
    head_ = (wraps ? 0 : head_) + octets;
    used_ += skipped + octets;
    taken_ += skipped + octets;
    return begin;
  }

  // A mark after what was taken last; give(mark) gives back everything taken before it.
  std::uint64_t mark() const { return taken_; }
  void give(std::uint64_t mark) { used_ = taken_ - mark; }

  std::size_t in_use() const { return used_; }

 private:
  std::size_t octets_;
  std::unique_ptr<std::uint8_t[]> memory_;
  std::size_t head_ = 0;
  std::size_t used_ = 0;
  std::uint64_t taken_ = 0;  // octets, what was skipped included, since the start
};

}  // namespace probe::dpdk
