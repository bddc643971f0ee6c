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

  void put(std::string_view s) {
    std::uint64_t h = hash_;
    for (const char c : s) h = (h ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
    hash_ = h;
    const std::size_t n = std::min(s.size(), to_.size() - used_);
    if (n > 0) std::memcpy(to_.data() + used_, s.data(), n);
    used_ += n;
    cut_ |= n < s.size();
  }
  void put_upper(std::string_view s) {
    char letters[32];
    const std::size_t n = std::min(s.size(), sizeof letters);  // no keyword is as long
    std::transform(s.begin(), s.begin() + static_cast<std::ptrdiff_t>(n), letters, upper);
    put({letters, n});
  }
  Normal result() const { return {used_, cut_, hash_}; }

 private:
  std::span<char> to_;
  std::size_t used_ = 0;
  std::uint64_t hash_ = 0xcbf29ce484222325;
  bool cut_ = false;
};

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
  void flush();

  // Writes a token with the space before it that it should have.
  void separate(bool space) {
    if (semicolon_) out_.put(";");
    if ((space || semicolon_) && !glued_) out_.put(" ");
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

void Normaliser::flush() {
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
