// An array that begins in its owner's slot and grows by pages of the notebook, for the few sessions that need much.
#pragma once

#include <array>
#include <cstddef>
#include <new>

#include "dissectors/notebook.h"

namespace probe {

// Places never move. release() must be called before it goes, if more than kFirst were ever asked for.
template <class T, std::size_t kFirst, std::size_t kMost>
class Growing {
  static constexpr std::size_t kEach = sizeof(Notebook::Page) / sizeof(T);
  struct Directory {
    std::array<T*, sizeof(Notebook::Page) / sizeof(T*)> pages{};
  };
  static_assert(kEach > 0, "a page has no room for one");
  static_assert((kMost - kFirst + kEach - 1) / kEach <= Directory{}.pages.size(), "the directory is too small");
  static_assert(alignof(T) <= 64, "a page stands on a cache line");

 public:
  static constexpr std::size_t size() { return kMost; }

  // Makes place `i` usable, if all before it are; false if there is no page left, or `i` is beyond kMost.
  bool reach(std::size_t i, Notebook& notes) {
    if (i < kFirst) return true;
    if (i >= kMost) return false;
    if (!directory_) {
      void* const page = notes.take_page();
      if (!page) return false;
      directory_ = new (page) Directory;
    }
    T*& page = directory_->pages[(i - kFirst) / kEach];
    if (page) return true;
    void* const octets = notes.take_page();
    if (!octets) return false;
    page = static_cast<T*>(octets);
    for (std::size_t at = 0; at < kEach; ++at) new (page + at) T;
    return true;
  }
  T& operator[](std::size_t i) {
    return i < kFirst ? first_[i] : directory_->pages[(i - kFirst) / kEach][(i - kFirst) % kEach];
  }
  const T& operator[](std::size_t i) const {
    return i < kFirst ? first_[i] : directory_->pages[(i - kFirst) / kEach][(i - kFirst) % kEach];
  }

  void release(Notebook& notes) {
    if (!directory_) return;
    for (T*& page : directory_->pages) {
      if (!page) continue;
      for (std::size_t at = 0; at < kEach; ++at) page[at].~T();
      notes.give_page(page);
    }
    notes.give_page(directory_);
    directory_ = nullptr;
  }

 private:
  std::array<T, kFirst> first_;
  Directory* directory_ = nullptr;
};

}  // namespace probe
