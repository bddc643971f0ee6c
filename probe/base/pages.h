// Memory straight from the kernel: zeroed, and taken only where it is touched.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>
#include <utility>

namespace probe {

class Pages {
 public:
  // Throws std::bad_alloc. Large blocks ask for huge pages: half the cost of a random access in a large table; where
  // there are none this is only a hint.
  explicit Pages(std::size_t octets) : octets_(octets) {
    if (octets_ == 0) return;
    void* p = mmap(nullptr, octets_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    begin_ = static_cast<std::byte*>(p);
    if (octets_ >= kWorthHugePages) madvise(begin_, octets_, MADV_HUGEPAGE);
  }
  ~Pages() {
    if (begin_) munmap(begin_, octets_);
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  std::byte* begin() const { return begin_; }
  std::size_t octets() const { return octets_; }

 private:
  static constexpr std::size_t kWorthHugePages = 4u << 20;
  std::byte* begin_ = nullptr;
  std::size_t octets_;
};

}  // namespace probe
