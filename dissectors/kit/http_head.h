// What the head of an HTTP/1 message says (RFC 9110, 9112).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace probe::http {

struct RequestLine {
  std::string_view method, target, version;  // all empty if the line is none
};
// `tail`: the end of the line, if the line is longer than what is kept of it; then the target is cut.
RequestLine parse_request_line(std::string_view line, std::string_view tail = {});
// The same for the front of a line whose end is not there: the version stays empty.
RequestLine parse_request_front(std::string_view front);

struct StatusLine {
  std::string_view version;  // empty if the line is none
  std::uint16_t status = 0;
};
StatusLine parse_status_line(std::string_view line);

// The front of a line could become a request line or a status line when more of it has come.
bool may_become_request(std::string_view front);
bool may_become_status(std::string_view front);
// The same, and with a method that some RFC defines.
bool may_become_known_request(std::string_view front);
bool is_known_method(std::string_view method);

// The authority of a target in absolute form (RFC 9112 §3.2.2), else empty.
std::string_view authority_of(std::string_view target);

enum class Field : std::uint8_t {
  other,
  host,
  user_agent,
  referer,
  forwarded_for,
  content_length,
  content_type,
  transfer_encoding
};
struct FieldLine {
  Field field = Field::other;
  std::string_view value;
};
FieldLine parse_field(std::string_view line);

enum class Body : std::uint8_t { none, sized, chunked, to_close, unknown };

// Gathers what the fields say about the length of the body.
class Framing {
 public:
  void add_content_length(std::string_view value);
  void add_transfer_encoding(std::string_view value);
  // RFC 9112 §6.3; `unknown`: the end cannot be told.
  Body of_request() const;
  Body of_response(std::uint16_t status, bool to_head) const;
  std::uint64_t length() const { return length_; }

 private:
  std::uint64_t length_ = 0;
  bool has_length_ = false;
  bool bad_length_ = false;
  bool encoded_ = false;  // any transfer coding
  bool chunked_ = false;  // the last one is chunked
};

// A chunk's size from its line, extensions left aside (RFC 9112 §7.1); false if it is none.
bool parse_chunk_size(std::string_view line, std::uint64_t& size);

}  // namespace probe::http
