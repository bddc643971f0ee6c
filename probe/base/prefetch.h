// Memory asked for before it is needed.
#pragma once

#include <cstddef>

namespace probe {

// Into the cache, to be written; for memory that nobody has touched yet it does nothing. The empty asm keeps it: GCC
// takes a function that does nothing but prefetch for one without effect, and drops the call of it where it is not
// inlined.
[[gnu::always_inline]] inline void prefetch(const void* line) {
  __builtin_prefetch(line, 1);
  asm volatile("");
}

[[gnu::always_inline]] inline void prefetch_octets(const void* from, std::size_t octets) {
  for (std::size_t at = 0; at < octets; at += 64) prefetch(static_cast<const std::byte*>(from) + at);
}

template <class T>
[[gnu::always_inline]] inline void prefetch_object(const T* object) {
  prefetch_octets(object, sizeof(T));
}

}  // namespace probe
