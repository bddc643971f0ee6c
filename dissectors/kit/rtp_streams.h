// The streams of one flow: few as a rule, so that most have room in the session itself.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <new>

#include "dissectors/kit/rtp_stream.h"

namespace probe::rtp {

class Streams {
  static constexpr std::size_t kHere = 1;
  static constexpr std::size_t kPerPage = sizeof(Notebook::Page) / sizeof(Stream);
  static constexpr std::size_t kPages = 8;

 public:
  static constexpr std::size_t kMost = kHere + kPerPage * kPages;

  std::size_t size() const { return size_; }
  Stream& operator[](std::size_t i) {
    return i < kHere ? here_[i] : pages_[(i - kHere) / kPerPage][(i - kHere) % kPerPage];
  }

  Stream* find(std::uint32_t ssrc, Side from);
  // Another one; nullptr if there is no room.
  Stream* add(std::uint32_t ssrc, Side from, Notebook&);
  // `s` makes room for another.
  Stream* replace(Stream& s, std::uint32_t ssrc, Side from);
  void release(Notebook&);

 private:
  static_assert(kPerPage > 0 && alignof(Stream) <= 64);
  std::array<Stream, kHere> here_;
  std::array<Stream*, kPages> pages_{};
  std::array<std::uint32_t, kMost> ssrcs_{};  // to be looked through in a line or two
  std::array<std::uint8_t, kMost> sides_{};
  std::array<std::uint8_t, 2> recent_{};  // by side
  std::uint8_t size_ = 0;
};

}  // namespace probe::rtp
