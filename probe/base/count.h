// A number that one thread counts and others may read meanwhile.
#pragma once

#include <atomic>
#include <cstdint>

namespace probe {

// A load and a store instead of one addition: only one thread writes, so no bus lock is paid for. What others read is
// never torn, only a little old.
class Count {
 public:
  Count() = default;
  Count(std::uint64_t n) : value_(n) {}  // NOLINT: it is a number
  Count(const Count& other) : value_(other.value()) {}
  Count& operator=(const Count& other) {
    value_.store(other.value(), std::memory_order_relaxed);
    return *this;
  }

  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }
  operator std::uint64_t() const { return value(); }  // NOLINT: it is a number
  Count& operator+=(std::uint64_t n) {
    value_.store(value() + n, std::memory_order_relaxed);
    return *this;
  }
  Count& operator++() { return *this += 1; }

 private:
  std::atomic<std::uint64_t> value_{0};
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace probe
