// An array of which most sessions use the first places only: the others take a page of the notebook when they are
// needed.
#pragma once

#include <array>
#include <cstddef>
#include <new>

#include "dissectors/notebook.h"

namespace probe {

// Places never move. release() must be called before it goes, if more than kFirst were ever asked for.
template <class T, std::size_t kFirst, std::size_t kMost>
class Few {
  static constexpr std::size_t kRest = kMost - kFirst;
  static_assert(kRest * sizeof(T) <= sizeof(Notebook::Page), "the rest does not fit into a page");
  static_assert(alignof(T) <= 64, "a page stands on a cache line");

 public:
  static constexpr std::size_t size() { return kMost; }

  // Makes the places up to `i` usable; false if the notebook has no page left.
  bool reach(std::size_t i, Notebook& notes) {
    if (i < kFirst || rest_) return true;
    void* page = notes.take_page();
    if (!page) return false;
    rest_ = static_cast<T*>(page);
    for (std::size_t at = 0; at < kRest; ++at) new (rest_ + at) T;
    return true;
  }
  T& operator[](std::size_t i) { return i < kFirst ? first_[i] : rest_[i - kFirst]; }

  void release(Notebook& notes) {
    if (!rest_) return;
    for (std::size_t at = 0; at < kRest; ++at) rest_[at].~T();
    notes.give_page(rest_);
    rest_ = nullptr;
  }

 private:
  std::array<T, kFirst> first_;
  T* rest_ = nullptr;
};

}  // namespace probe
