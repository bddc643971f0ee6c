// Text put together in a fixed buffer; what does not fit is left out and told.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace probe {

template <std::size_t N>
struct TextBuffer {
  char octets[N];
};

class TextWriter {
 public:
  template <std::size_t N>
  explicit TextWriter(TextBuffer<N>& buffer) : octets_(buffer.octets), room_(N) {}

  std::string_view text() const { return {octets_, used_}; }
  std::size_t size() const { return used_; }
  bool cut() const { return cut_; }
  // Back to an earlier size(): an item that did not fit is taken out whole.
  void shorten(std::size_t size) { used_ = size; }

  void put(char c) {
    if (used_ < room_)
      octets_[used_++] = c;
    else
      cut_ = true;
  }
  void put(std::string_view s) {
    const std::size_t n = s.size() < room_ - used_ ? s.size() : room_ - used_;
    if (n > 0) std::memcpy(octets_ + used_, s.data(), n);
    used_ += n;
    if (n < s.size()) cut_ = true;
  }
  void number(std::uint64_t v, int base = 10) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, v, base).ptr;
    put(std::string_view(digits, static_cast<std::size_t>(end - digits)));
  }
  void hex(std::uint8_t octet) {
    constexpr char kDigits[] = "0123456789abcdef";
    put(kDigits[octet >> 4]);
    put(kDigits[octet & 15]);
  }
  // RFC 4343 §2.1: an octet that is not written as itself.
  void decimal_escape(std::uint8_t octet) {
    put('\\');
    put(static_cast<char>('0' + octet / 100));
    put(static_cast<char>('0' + octet / 10 % 10));
    put(static_cast<char>('0' + octet % 10));
  }

 private:
  char* octets_;
  std::size_t room_;
  std::size_t used_ = 0;
  bool cut_ = false;
};

}  // namespace probe
