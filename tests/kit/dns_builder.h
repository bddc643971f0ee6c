// DNS messages for tests, octet for octet.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace probe::test {

inline std::string be16(unsigned v) { return {static_cast<char>(v >> 8), static_cast<char>(v)}; }
inline std::string be32(std::uint32_t v) { return be16(v >> 16) + be16(v & 0xffff); }
// Labels of `name`, which has dots between them and no escapes; "" is the root.
inline std::string labels(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    out += static_cast<char>(label.size());
    out += label;
    name.remove_prefix(label.size() < name.size() ? label.size() + 1 : label.size());
  }
  return out + '\0';
}
inline std::string pointer(unsigned offset) { return be16(0xc000 | offset); }

class DnsBuilder {
 public:
  DnsBuilder(unsigned id, unsigned flags) : id_(id), flags_(flags) {}
  DnsBuilder& question(std::string_view name, unsigned type, unsigned klass = 1) {
    ++counts_[0];
    body_ += labels(name) + be16(type) + be16(klass);
    return *this;
  }
  DnsBuilder& answer(const std::string& owner, unsigned type, std::uint32_t ttl, const std::string& data,
                     unsigned klass = 1) {
    return record(1, owner, type, klass, ttl, data);
  }
  // section: 1 answer, 2 authority, 3 additional
  DnsBuilder& record(unsigned section, const std::string& owner, unsigned type, unsigned klass, std::uint32_t ttl,
                     const std::string& data) {
    ++counts_[section];
    body_ += owner + be16(type) + be16(klass) + be32(ttl) + be16(static_cast<unsigned>(data.size())) + data;
    return *this;
  }
  DnsBuilder& edns(unsigned size, unsigned upper_code = 0) {
    return record(3, std::string(1, '\0'), 41, size, static_cast<std::uint32_t>(upper_code) << 24, "");
  }
  // Says there are so many, whatever there is.
  DnsBuilder& claim(unsigned section, unsigned count) {
    counts_[section] = count;
    return *this;
  }
  std::string text() const {
    std::string out = be16(id_) + be16(flags_);
    for (const unsigned c : counts_) out += be16(c);
    return out + body_;
  }
  // As in a stream.
  std::string framed() const { return be16(static_cast<unsigned>(text().size())) + text(); }

 private:
  unsigned id_, flags_;
  unsigned counts_[4] = {};
  std::string body_;
};

inline std::string dns_query(unsigned id, std::string_view name, unsigned type = 1) {
  return DnsBuilder(id, 0x0100).question(name, type).text();
}
inline std::string dns_answer(unsigned id, std::string_view name, const std::string& address) {
  return DnsBuilder(id, 0x8180).question(name, 1).answer(pointer(12), 1, 300, address).text();
}

}  // namespace probe::test
