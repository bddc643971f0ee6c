// Cuts SQL text into tokens. No grammar: just enough to tell values, words and punctuation apart.
#pragma once

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

constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

class Lexer {
 public:
  Lexer(std::string_view text, Dialect dialect) : text_(text), dialect_(dialect) {}

  Token next() {
    const Token t = read();
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

  Token since(Token::Kind kind, std::size_t start) { return {kind, text_.substr(start, at_ - start)}; }
  Token single(Token::Kind kind) {
    go(1);
    return since(kind, at_ - 1);
  }
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

}  // namespace probe::sql
