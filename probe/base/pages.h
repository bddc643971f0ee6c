// Memory straight from the kernel: zeroed, and taken only where it is touched.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <new>

namespace probe {

// Huge pages halve the cost of random access to what is large and soon touched all over; elsewhere they only cost the
// clearing of memory that nobody uses. Where there are none this is only a hint.
enum class PageSize : std::uint8_t { normal, huge };

class Pages {
 public:
  // Throws std::bad_alloc.
  explicit Pages(std::size_t octets, PageSize size = PageSize::normal) : octets_(octets) {
    if (octets_ == 0) return;
    void* p = mmap(nullptr, octets_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    begin_ = static_cast<std::byte*>(p);
    madvise(begin_, octets_, size == PageSize::huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  }
  ~Pages() {
    if (begin_) munmap(begin_, octets_);
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  std::byte* begin() const { return begin_; }
  std::size_t octets() const { return octets_; }

 private:
  std::byte* begin_ = nullptr;
  std::size_t octets_;
};

}  // namespace probe
