// Fixed memory for things that come and go on the packet path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "probe/base/pages.h"
#include "probe/base/prefetch.h"

namespace probe {

// Number of a slot that stands for none.
inline constexpr std::uint32_t kNoSlot = ~std::uint32_t{0};

// Slots of one size, handed out last in first out so that the warm ones are used again. Memory is reserved at once and
// touched when it is first used. Not for two threads. An empty pool answers nullptr: the caller counts it.
class SlotPool {
 public:
  SlotPool(std::size_t slots, std::size_t octets_each, PageSize pages = PageSize::normal)
      : slots_(slots),
        stride_((octets_each + 63) / 64 * 64),
        free_(new std::uint32_t[slots ? slots : 1]),
        memory_(slots_ * stride_, pages) {}
  SlotPool(const SlotPool&) = delete;
  SlotPool& operator=(const SlotPool&) = delete;

  void* take() {
    if (returned_ > 0) return at(free_[--returned_]);
    return fresh_ < slots_ ? at(fresh_++) : nullptr;
  }
  void give(void* slot) { free_[returned_++] = number_of(slot); }

  // The slot that take() will hand out next: a creation that fetches for the one after it waits for no memory.
  void prefetch_next() const {
    if (returned_ > 0 || fresh_ < slots_) prefetch_octets(at(returned_ > 0 ? free_[returned_ - 1] : fresh_), stride_);
  }

  // A slot by its number, for those who have no room for a pointer.
  std::byte* at(std::size_t i) const { return memory_.begin() + i * stride_; }
  std::uint32_t number_of(const void* slot) const {
    return static_cast<std::uint32_t>(static_cast<std::size_t>(static_cast<const std::byte*>(slot) - memory_.begin()) /
                                      stride_);
  }

  std::size_t in_use() const { return fresh_ - returned_; }
  std::size_t capacity() const { return slots_; }
  std::size_t octets() const { return slots_ * (stride_ + sizeof(std::uint32_t)); }

 private:
  std::size_t slots_;
  std::size_t stride_;
  std::unique_ptr<std::uint32_t[]> free_;  // not initialised: pages stay untouched until slots come back
  std::size_t returned_ = 0;
  std::size_t fresh_ = 0;
  Pages memory_;
};

// A SlotPool of one type.
template <class T>
class Pool {
 public:
  explicit Pool(std::size_t slots, PageSize pages = PageSize::normal) : slots_(slots, sizeof(T), pages) {}
  template <class... A>
  T* make(A&&... a) {
    void* p = slots_.take();
    return p ? new (p) T(static_cast<A&&>(a)...) : nullptr;
  }
  void prefetch_next() const { slots_.prefetch_next(); }
  void destroy(T* t) {
    t->~T();
    slots_.give(t);
  }
  T* at(std::uint32_t number) const { return std::launder(reinterpret_cast<T*>(slots_.at(number))); }
  std::uint32_t number_of(const T* t) const { return slots_.number_of(t); }
  std::size_t in_use() const { return slots_.in_use(); }
  std::size_t capacity() const { return slots_.capacity(); }
  std::size_t octets() const { return slots_.octets(); }

 private:
  SlotPool slots_;
};

}  // namespace probe
