// Messages of the shape that RTSP (RFC 2326, 7826) and SIP (RFC 3261) took from HTTP: a start line, fields, an empty
// line and a body of Content-Length octets. A head is read whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "dissectors/dissector.h"

namespace probe::text_message {

// A head that is longer is none.
inline constexpr std::size_t kMostHead = 8 * 1024;

struct Protocol {
  std::string_view name;                      // what stands before the '/' of a version
  std::span<const std::string_view> methods;  // those that are believed before their line has ended
};

struct Start {
  std::string_view version;         // empty: this is no start line
  std::string_view method, target;  // of a request
  std::uint16_t status = 0;         // of a response
  std::string_view reason;
  bool is_request() const { return status == 0; }
};
Start parse_start(std::string_view line, const Protocol&);

// Also from the front of a stream, or the whole of a datagram.
Guess guess(std::string_view first, const Protocol&);

struct Message {
  Start start;
  std::string_view fields;  // lines behind the start line
  std::string_view body;    // as far as it is there
  std::uint64_t octets = 0;
  bool whole = false;
};

// Walks through the fields of a message.
class FieldReader {
 public:
  explicit FieldReader(std::string_view fields) : rest_(fields) {}
  bool next();
  std::string_view name() const { return name_; }
  std::string_view value() const { return value_; }  // may be folded (RFC 3261 §7.3.1)

 private:
  std::string_view rest_, name_, value_;
};

// Without regard to case; `lower` holds lower-case letters.
bool same_word(std::string_view a, std::string_view lower);
std::string_view trim(std::string_view);
// A number and nothing else.
bool parse_number(std::string_view, std::uint64_t& out);
// The value of a parameter ("name=value" behind a ';'), without quotes; empty: there is none.
std::string_view parameter(std::string_view parameters, std::string_view lower_name);

// Cuts what one side sends into messages.
class Reader {
 public:
  enum class What : std::uint8_t { message, nothing, not_ours };
  // The message at the front of `data`: of a stream, or the only one of a datagram. `answer`: what to say to
  // whoever brought the data, once the message has been dealt with.
  What read(Bytes data, bool datagram, const Protocol&, Message& out, Step& answer);
  void lose() { lost_ = true; }
  bool lost() const { return lost_; }
  void found() { lost_ = false; }

 private:
  Step find(std::string_view s, const Protocol&);

  bool lost_ = false;
  bool begun_ = false;
};

}  // namespace probe::text_message
