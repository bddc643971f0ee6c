// Memory asked for before it is needed.
#pragma once

#include <cstddef>

namespace probe {

// Into the cache, to be written; for memory that nobody has touched yet it does nothing.
inline void prefetch_octets(const void* from, std::size_t octets) {
  for (std::size_t at = 0; at < octets; at += 64) __builtin_prefetch(static_cast<const std::byte*>(from) + at, 1);
}

template <class T>
void prefetch_object(const T* object) {
  prefetch_octets(object, sizeof(T));
}

}  // namespace probe
