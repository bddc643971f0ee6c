#include "dissectors/kit/sql_lexer.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace probe::sql {
namespace {

struct Keyword {
  std::string_view word;
  Use use = Use::none;
};
constexpr Keyword kKeywords[] = {
#define KEYWORD(word, use) {#word, Use::use},
#include "dissectors/kit/sql_keywords.inc"
#undef KEYWORD
};

// Makes letters capital, which is enough: keywords have nothing but letters and _.
constexpr std::uint8_t fold(char c) { return static_cast<std::uint8_t>(c) & 0xdf; }

constexpr std::size_t longest_keyword() {
  std::size_t n = 0;
  for (const Keyword& k : kKeywords) n = std::max(n, k.word.size());
  return n;
}
constexpr std::size_t kLongest = longest_keyword();

constexpr std::size_t kBuckets = 1024;
constexpr std::size_t bucket_of(std::string_view w) {
  const auto letter = [w](std::size_t i) { return std::uint32_t{fold(w[i])}; };
  const std::uint32_t mixed =
      letter(0) | letter(w.size() / 2) << 8 | letter(w.size() - 1) << 16 | static_cast<std::uint32_t>(w.size()) << 24;
  return mixed * 0x9e3779b1u >> 22;
}

// Open addressing: index into kKeywords plus one; 0 ends a search.
constexpr std::array<std::uint16_t, kBuckets> keyword_table() {
  std::array<std::uint16_t, kBuckets> out{};
  for (std::size_t i = 0; i < std::size(kKeywords); ++i) {
    std::size_t b = bucket_of(kKeywords[i].word);
    while (out[b] != 0) b = (b + 1) % kBuckets;
    out[b] = static_cast<std::uint16_t>(i + 1);
  }
  return out;
}
constexpr auto kKeywordTable = keyword_table();

bool same_letters(std::string_view word, std::string_view keyword) {
  const char *a = word.data(), *b = keyword.data();
  std::size_t n = word.size();
  if (n != keyword.size()) return false;
  while (n > 0 && fold(*a) == static_cast<std::uint8_t>(*b)) ++a, ++b, --n;
  return n == 0;
}

}  // namespace

Use use_of(std::string_view word) {
  if (word.size() < 2 || word.size() > kLongest) return Use::none;
  for (std::size_t b = bucket_of(word); kKeywordTable[b] != 0; b = (b + 1) % kBuckets)
    if (const Keyword& k = kKeywords[kKeywordTable[b] - 1u]; same_letters(word, k.word)) return k.use;
  return Use::none;
}

// ---- Passing over ----

void Lexer::pass(std::uint8_t classes) {
  const char* const text = text_.data();
  std::size_t i = at_;
  while (i < text_.size() && is(text[i], classes)) ++i;
  at_ = i;
}

void Lexer::pass_to(std::string_view end) {
  const std::size_t found = text_.find(end, at_);
  at_ = found == text_.npos ? text_.size() : found + end.size();
}

void Lexer::pass_comment() {
  if (!mysql()) {  // they nest
    std::size_t depth = 0;
    do {
      const bool opens = now() == '/' && peek(1) == '*', closes = now() == '*' && peek(1) == '/';
      if (opens) ++depth;
      if (closes) --depth;
      go(opens || closes ? 2 : 1);
    } while (depth > 0 && !done());
    return;
  }
  const std::size_t mark = peek(2) == 'M' ? 3 : 2;  // MariaDB's own: /*M! … */
  if (peek(mark) != '!') {
    go(2);
    pass_to("*/");
    return;
  }
  go(mark + 1);
  pass(kDigit);  // the version that it is for
  in_code_comment_ = true;
}

void Lexer::pass_blank() {
  for (;;) {
    pass(kSpace);
    if (!is(peek(0), kComment)) return;
    const char c = now();
    if (c == '/' && peek(1) == '*') {
      pass_comment();
    } else if (c == '*' && peek(1) == '/' && in_code_comment_) {
      go(2);
      in_code_comment_ = false;
    } else if ((c == '-' && peek(1) == '-' && (!mysql() || is(peek(2), kSpace))) || (c == '#' && mysql())) {
      pass_to("\n");
    } else {
      break;
    }
  }
}

// The quote is the next character; a doubled one does not end it. False: nothing does.
bool Lexer::pass_quoted(bool escapes) {
  const char* const text = text_.data();
  const std::size_t size = text_.size();
  const char quote = now(), escape = escapes ? '\\' : quote;
  std::size_t i = at_ + 1;
  for (; i < size; ++i) {
    if (text[i] != quote && text[i] != escape) continue;
    if (text[i] == quote && (i + 1 == size || text[i + 1] != quote)) break;
    ++i;  // what follows belongs to this one
  }
  at_ = i < size ? i + 1 : size;
  return i < size;
}

// $tag$ … $tag$; false: this is no such thing.
bool Lexer::pass_dollar_quoted() {
  std::size_t n = 1;
  while (is(peek(n), n == 1 ? kLetter : kLetter | kDigit)) ++n;
  if (peek(n) != '$') return false;
  const std::string_view tag = text_.substr(at_, n + 1);
  go(tag.size());
  pass_to(tag);
  return true;
}

// False: it was a word that only begins like a number.
bool Lexer::pass_number() {
  if (now() == '0' && (peek(1) == 'x' || peek(1) == 'b')) {
    pass(kWord);
    return true;
  }
  pass(kDigit);
  if (peek(0) == '.') {
    go(1);
    pass(kDigit);
  }
  if (upper(peek(0)) == 'E') {
    const std::size_t mark = peek(1) == '+' || peek(1) == '-' ? 2 : 1;
    if (is(peek(mark), kDigit)) {
      go(mark);
      pass(kDigit);
    }
  }
  if (!is(peek(0), kWord)) return true;
  pass(kWord);
  return false;
}

// ---- Tokens ----

bool Lexer::number_follows() {
  pass_blank();
  return is(peek(0), kDigit) || (peek(0) == '.' && is(peek(1), kDigit));
}

Token Lexer::number() {
  const std::size_t start = at_;
  const bool good = pass_number();
  return since(good ? Token::Kind::value : Token::Kind::word, start);
}

Token Lexer::string(std::size_t start, bool escapes) {
  pass_quoted(escapes);
  return since(Token::Kind::value, start);
}

// What has no end may be no name at all, and hide literals: it counts as one.
Token Lexer::name(std::size_t start) {
  const bool ends = pass_quoted(false);
  return since(ends ? Token::Kind::name : Token::Kind::value, start);
}

Token Lexer::word() {
  const std::size_t start = at_;
  pass(kWord);
  const Token token = since(Token::Kind::word, start);
  const char first = upper(token.text[0]);
  if (token.text.size() == 1 && is_string(peek(0)) &&
      (first == 'X' || first == 'B' || first == 'N' || (first == 'E' && !mysql()))) {
    return string(start, first == 'E' || (first == 'N' && mysql()));
  }
  if (first == 'U' && token.text.size() == 1 && !mysql() && peek(0) == '&' && (peek(1) == '\'' || peek(1) == '"')) {
    go(1);
    return now() == '"' ? name(start) : string(start, false);
  }
  if (first == '_' && mysql()) {  // the character set of a string
    const std::size_t end = at_;
    pass(kSpace);
    if (is_string(peek(0))) return string(start, true);
    at_ = end;
  }
  return token;
}

Token Lexer::dollar() {
  const std::size_t start = at_;
  if (!mysql() && pass_dollar_quoted()) return since(Token::Kind::value, start);
  if (!mysql() && is(peek(1), kDigit)) {
    go(1);
    pass(kDigit);
    return since(Token::Kind::value, start);
  }
  return word();
}

Token Lexer::sign() {
  if (now() == '-' && peek(1) == '>') {  // -> and ->> of JSON
    const std::size_t start = at_;
    go(peek(2) == '>' ? 3 : 2);
    return since(Token::Kind::sign_run, start);
  }
  return single(Token::Kind::sign);
}

Token Lexer::punctuation() {
  const std::size_t start = at_;
  switch (now()) {
    case '(':
      return single(Token::Kind::open);
    case ')':
      return single(Token::Kind::close);
    case ',':
      return single(Token::Kind::comma);
    case ';':
      return single(Token::Kind::semicolon);
    case '.':
      return single(Token::Kind::point);
    case '+':
    case '-':
      return sign();
    case '?':
      return single(mysql() ? Token::Kind::value : Token::Kind::sign_run);
    case '@':
      if (!mysql()) return single(Token::Kind::sign_run);
      while (peek(0) == '@') go(1);
      pass(kWord);  // a variable; a quoted name or a host follows as a token of its own
      return since(Token::Kind::word, start);
    case '*':
    case '/':
    case '%':
    case '^':
    case '~':
      return single(Token::Kind::sign_run);
    default:
      if (!is(now(), kOperator)) return single(Token::Kind::other);
      pass(kOperator);
      return since(Token::Kind::sign_run, start);
  }
}

// A digit behind a point begins a name, and a point right behind a name does not begin a number: t.2020
bool Lexer::number_here(bool behind_blank) const {
  if (is(now(), kDigit)) return last_ != Token::Kind::point;
  const bool behind_name = !behind_blank && (last_ == Token::Kind::word || last_ == Token::Kind::name);
  return now() == '.' && is(peek(1), kDigit) && !behind_name;
}

Token Lexer::read() {
  const std::size_t before = at_;
  pass_blank();
  if (done()) return {};
  const char c = now();
  const std::size_t start = at_;
  if (is(c, kLetter)) return word();
  if (number_here(start != before)) return number();
  if (is(c, kDigit)) {
    pass(kWord);
    return since(Token::Kind::word, start);
  }
  if (c == '$') return dollar();
  if (is_string(c)) return string(start, mysql());
  if (c == (mysql() ? '`' : '"')) return name(start);
  return punctuation();
}

}  // namespace probe::sql
