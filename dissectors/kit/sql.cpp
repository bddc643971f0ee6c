#include "dissectors/kit/sql.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "dissectors/kit/sql_lexer.h"

namespace probe::sql {
namespace {

using Kind = Token::Kind;

// Where the text goes: hashed whole, kept as far as there is room.
class Output {
 public:
  explicit Output(std::span<char> to) : to_(to) {}

  void put(char c) {
    if (filled_ == kChunk) absorb();
    chunk_[filled_++] = c;
  }
  void put(std::string_view s) {
    if (s.size() > kChunk - filled_) return put_long(s);
    copy(s, chunk_ + filled_);
    filled_ += s.size();
  }
  void put_upper(std::string_view s) {
    if (s.size() > kChunk - filled_) {
      for (const char c : s) put(upper(c));
      return;
    }
    char* to = chunk_ + filled_;
    for (const char c : s) *to++ = upper(c);
    filled_ += s.size();
  }
  Normal result() {
    absorb();
    hash_ = (hash_ ^ length_) * kMultiplier;
    return {used_, cut_, hash_ ^ hash_ >> 32};
  }

 private:
  static constexpr std::size_t kChunk = 512;
  static constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15;

  static void copy(std::string_view s, char* to) {
    if (s.size() > 16) {
      std::memcpy(to, s.data(), s.size());
    } else {
      for (const char c : s) *to++ = c;
    }
  }
  void put_long(std::string_view s) {
    while (!s.empty()) {
      if (filled_ == kChunk) absorb();
      const std::string_view part = s.substr(0, kChunk - filled_);
      copy(part, chunk_ + filled_);
      filled_ += part.size();
      s.remove_prefix(part.size());
    }
  }
  void absorb();

  std::span<char> to_;
  std::size_t used_ = 0;
  std::uint64_t length_ = 0;
  std::uint64_t hash_ = 0;
  bool cut_ = false;
  std::size_t filled_ = 0;
  char chunk_[kChunk];
};

void Output::absorb() {
  std::memset(chunk_ + filled_, 0, (8 - filled_ % 8) % 8);
  for (std::size_t i = 0; i < filled_; i += 8) {
    std::uint64_t word;
    std::memcpy(&word, chunk_ + i, sizeof word);
    hash_ = (hash_ ^ word) * kMultiplier;
    hash_ ^= hash_ >> 32;
  }
  const std::size_t n = std::min(filled_, to_.size() - used_);
  if (n > 0) std::memcpy(to_.data() + used_, chunk_, n);
  used_ += n;
  cut_ |= n < filled_;
  length_ += filled_;
  filled_ = 0;
}

// Writes tokens; values and what may belong to a list of them wait until it is known what they are part of.
class Normaliser {
 public:
  Normaliser(std::string_view text, Dialect dialect, std::span<char> out) : lexer_(text, dialect), out_(out) {}

  Normal run() {
    for (Token t = lexer_.next(); t.kind != Kind::end; t = lexer_.next()) take(t);
    flush();
    return out_.result();
  }

 private:
  void take(const Token& t);
  void word(std::string_view w);
  void value();
  void open();
  void close();
  void comma();
  void flush() {
    if (row_ || open_ || values_ > 0) write_pending();
  }
  void write_pending();

  // Writes a token with the space before it that it should have.
  void separate(bool space) {
    if (semicolon_) out_.put(';');
    if ((space || semicolon_) && !glued_) out_.put(' ');
    semicolon_ = glued_ = false;
  }
  void write(std::string_view s, bool space = true) {
    separate(space);
    out_.put(s);
  }

  Lexer lexer_;
  Output out_;
  bool glued_ = true;        // no space before what comes next
  bool semicolon_ = false;   // one waits for something behind it
  bool operand_ = true;      // a value may come next
  bool in_ = false;          // IN was the last word
  bool row_ = false;         // a row of values was the last that was written
  bool row_comma_ = false;   // and a comma waits behind it
  bool open_ = false;        // ( waits
  bool open_in_ = false;     // behind IN
  bool comma_ = false;       // a comma waits behind the values
  std::uint8_t values_ = 0;  // 0, 1 or 2 for more wait
};

void Normaliser::write_pending() {
  if (row_comma_) write(",", false);
  if (open_) {
    write("(");
    glued_ = true;
  }
  if (values_ > 0) write(values_ == 1 ? "?" : "?, ...");
  if (comma_) write(",", false);
  row_ = row_comma_ = open_ = comma_ = false;
  values_ = 0;
}

void Normaliser::value() {
  if (values_ == 0) {
    if (!open_) flush();
    values_ = 1;
  } else if (comma_) {
    values_ = 2;
    comma_ = false;
  }  // else strings side by side are one
}

void Normaliser::open() {
  const bool next_row = row_ && row_comma_ && !open_ && values_ == 0;
  if (!next_row) flush();
  open_ = true;
  open_in_ = in_;
}

void Normaliser::close() {
  if (!open_ || values_ == 0 || comma_) {
    flush();
    return write(")", false);
  }
  const bool again = row_ && row_comma_;  // one row is shown for all
  if (!again) write(values_ == 2 || open_in_ ? "(...)" : "(?)");
  row_ = true;
  row_comma_ = open_ = false;
  values_ = 0;
}

void Normaliser::comma() {
  if (values_ > 0 && !comma_) {
    comma_ = true;
  } else if (row_ && !row_comma_ && !open_) {
    row_comma_ = true;
  } else {
    flush();
    write(",", false);
  }
}

void Normaliser::word(std::string_view w) {
  const Use use = use_of(w);
  if (use == Use::literal && operand_) return value();
  flush();
  separate(true);
  if (use == Use::none)
    out_.put(w);
  else
    out_.put_upper(w);
  in_ = use == Use::in;
  operand_ = in_ || use == Use::operand;
}

void Normaliser::take(const Token& t) {
  const bool in = std::exchange(in_, false);
  const bool operand = std::exchange(operand_, false);
  switch (t.kind) {
    case Kind::value:
      return value();
    case Kind::word:
      operand_ = operand;
      return word(t.text);
    case Kind::open:
      in_ = in;
      open();
      in_ = false;
      operand_ = true;
      return;
    case Kind::close:
      return close();
    case Kind::comma:
      operand_ = true;
      return comma();
    case Kind::sign:
      if (operand && lexer_.number_follows()) return;
      [[fallthrough]];
    case Kind::sign_run:
      operand_ = true;
      break;
    case Kind::point:
      flush();
      write(".", false);
      glued_ = true;
      return;
    case Kind::semicolon:
      flush();
      operand_ = semicolon_ = true;
      return;
    default:
      break;
  }
  flush();
  write(t.text);
}

}  // namespace

Normal normalise(std::string_view text, Dialect dialect, std::span<char> out) {
  return Normaliser(text, dialect, out).run();
}

std::array<char, 16> hexadecimal(std::uint64_t digest) {
  std::array<char, 16> out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = "0123456789abcdef"[digest >> (60 - 4 * i) & 15];
  return out;
}

Operation::Operation(std::string_view text, Dialect dialect) {
  Lexer lexer(text, dialect);
  Token t = lexer.next();
  while (t.kind == Kind::open || t.kind == Kind::semicolon) t = lexer.next();
  if (t.kind != Kind::word) return;
  length_ = std::min(t.text.size(), letters_.size());
  std::transform(t.text.begin(), t.text.begin() + static_cast<std::ptrdiff_t>(length_), letters_.begin(), upper);
  rest_ = lexer.rest();
}

}  // namespace probe::sql
