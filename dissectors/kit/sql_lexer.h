// Cuts SQL text into tokens. No grammar: just enough to tell values, words and punctuation apart.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dissectors/kit/sql.h"

namespace probe::sql {

struct Token {
  enum class Kind : std::uint8_t {
    end,
    value,     // a literal or a parameter
    word,      // a keyword or a name without quotes
    name,      // a name in quotes
    sign,      // + or -
    sign_run,  // any other operator
    open,
    close,
    comma,
    point,
    semicolon,
    other
  };
  Kind kind = Kind::end;
  std::string_view text;
};

// What normalising has to know of a word without quotes.
enum class Use : std::uint8_t {
  none,     // no keyword
  plain,    // a keyword
  operand,  // a keyword behind which a value may stand
  in,       // IN
  literal   // NULL, TRUE, FALSE
};
Use use_of(std::string_view word);

// Classes of characters.
enum : std::uint8_t { kWord = 1, kDigit = 2, kSpace = 4, kOperator = 8, kLetter = 16, kComment = 32 };

constexpr std::array<std::uint8_t, 256> character_classes() {
  std::array<std::uint8_t, 256> out{};
  for (std::size_t c = 0; c < out.size(); ++c) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80) out[c] |= kWord | kLetter;
    if (c >= '0' && c <= '9') out[c] |= kWord | kDigit;
    if (c == '$') out[c] |= kWord;
    if (c <= ' ' || c == 0x7f) out[c] |= kSpace;
  }
  for (const char c : {'<', '>', '=', '!', '|', '&', ':'}) out[static_cast<std::size_t>(c)] |= kOperator;
  for (const char c : {'/', '*', '-', '#'}) out[static_cast<std::size_t>(c)] |= kComment;  // may begin or end one
  return out;
}
inline constexpr auto kClasses = character_classes();
constexpr bool is(char c, unsigned classes) { return (kClasses[static_cast<std::uint8_t>(c)] & classes) != 0; }

constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

class Lexer {
 public:
  Lexer(std::string_view text, Dialect dialect) : text_(text), dialect_(dialect) {}

  Token next() {
    Token t;
    if (!next_word(t)) t = read();
    last_ = t.kind;
    return t;
  }
  // Is the next token a number? For signs, which belong to it.
  bool number_follows();
  std::string_view rest() const { return text_.substr(at_); }

 private:
  bool mysql() const { return dialect_ == Dialect::mysql; }
  bool done() const { return at_ >= text_.size(); }
  char now() const { return text_[at_]; }
  char peek(std::size_t ahead) const { return ahead < text_.size() - at_ ? text_[at_ + ahead] : '\0'; }
  void go(std::size_t n) { at_ = n < text_.size() - at_ ? at_ + n : text_.size(); }
  void pass(std::uint8_t classes);
  void pass_to(std::string_view end);
  void pass_blank();
  void pass_comment();
  bool pass_quoted(bool escapes);
  bool pass_dollar_quoted();
  bool pass_number();

  Token since(Token::Kind kind, std::size_t start) { return {kind, {text_.data() + start, at_ - start}}; }
  Token single(Token::Kind kind) {
    go(1);
    return since(kind, at_ - 1);
  }
  bool next_word(Token&);
  Token read();
  bool number_here(bool behind_blank) const;
  Token number();
  Token string(std::size_t start, bool escapes);
  Token name(std::size_t start);
  Token word();
  Token dollar();
  Token sign();
  Token punctuation();
  bool is_string(char quote) const { return quote == '\'' || (quote == '"' && mysql()); }

  std::string_view text_;
  std::size_t at_ = 0;
  Dialect dialect_;
  bool in_code_comment_ = false;
  Token::Kind last_ = Token::Kind::end;
};

// The short way to what is most frequent: a word behind a space or none, which cannot be the beginning of a string.
inline bool Lexer::next_word(Token& t) {
  const char* const text = text_.data();
  const std::size_t size = text_.size();
  std::size_t start = at_;
  if (start < size && text[start] == ' ') ++start;
  if (start + 1 >= size || !is(text[start], kLetter) || text[start] == '_' || !is(text[start + 1], kWord)) return false;
  std::size_t end = start + 2;
  while (end < size && is(text[end], kWord)) ++end;
  at_ = end;
  t = {Token::Kind::word, {text + start, end - start}};
  return true;
}

}  // namespace probe::sql
