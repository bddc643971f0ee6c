// A queue of pointers from one thread to one other, without locks.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <memory>

namespace probe {

// Single producer, single consumer. Both ends keep a copy of the other's position and look again only when the copy
// says full or empty, so that the cache line of the other end is seldom touched.
template <class T>
class Ring {
 public:
  explicit Ring(std::size_t at_least)
      : size_(std::bit_ceil(at_least < 2 ? std::size_t{2} : at_least)), slots_(new T[size_]) {}

  bool push(T item) {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head - tail_seen_ == size_) {
      tail_seen_ = tail_.load(std::memory_order_acquire);
      if (head - tail_seen_ == size_) return false;
    }
    slots_[head & (size_ - 1)] = item;
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

  bool pop(T& item) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail == head_seen_) {
      head_seen_ = head_.load(std::memory_order_acquire);
      if (tail == head_seen_) return false;
    }
    item = slots_[tail & (size_ - 1)];
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

  std::size_t capacity() const { return size_; }
  // How many are in it, about: for statistics, and for its two ends.
  std::size_t size() const {
    const std::size_t tail = tail_.load(std::memory_order_acquire);  // first: what is behind it can only become less
    return head_.load(std::memory_order_acquire) - tail;
  }

 private:
  const std::size_t size_;
  const std::unique_ptr<T[]> slots_;
  alignas(64) std::atomic<std::size_t> head_{0};
  std::size_t tail_seen_ = 0;  // producer's copy
  alignas(64) std::atomic<std::size_t> tail_{0};
  std::size_t head_seen_ = 0;  // consumer's copy
};

}  // namespace probe
