// Octets in network order, and lengths that are known only later: for messages that libfixbuf does not make.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "probe/base/bytes.h"

namespace probe::ipfix {

class Writer {
 public:
  void number(std::uint64_t value, std::size_t octets) {
    for (std::size_t i = octets; i-- > 0;) out_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }
  void text(std::string_view s) {  // RFC 7011 §7
    if (s.size() < 255) {
      number(s.size(), 1);
    } else {
      number(255, 1);
      number(s.size(), 2);
    }
    out_.insert(out_.end(), s.begin(), s.end());
  }
  void length_at(std::size_t at, std::size_t value) {
    out_[at] = static_cast<std::uint8_t>(value >> 8);
    out_[at + 1] = static_cast<std::uint8_t>(value);
  }
  std::size_t size() const { return out_.size(); }
  Bytes octets() const { return out_; }

 private:
  std::vector<std::uint8_t> out_;
};

// RFC 7011 §3.1. The length is still to come: length_at(2, w.size()).
inline void write_header(Writer& w, std::uint32_t time, std::uint32_t sequence, std::uint32_t domain) {
  w.number(10, 2);  // version
  w.number(0, 2);
  w.number(time, 4);
  w.number(sequence, 4);
  w.number(domain, 4);
}

// What is written while it lives is a set (RFC 7011 §3.3).
class Set {
 public:
  Set(Writer& w, std::uint16_t id) : w_(w), at_(w.size()) {
    w.number(id, 2);
    w.number(0, 2);
  }
  ~Set() { w_.length_at(at_ + 2, w_.size() - at_); }
  Set(const Set&) = delete;
  Set& operator=(const Set&) = delete;

 private:
  Writer& w_;
  const std::size_t at_;
};

}  // namespace probe::ipfix
