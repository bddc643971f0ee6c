// SQL text without its literals, so that statements which differ in values only look and hash the same.
//
// The rules, which follow MySQL's statement digests where that is simple:
//   literals                numbers (with their sign), strings, hexadecimal and bit strings, parameters; NULL, TRUE and
//                           FALSE where a value is expected                           -> ?
//   lists of literals       1, 2, 3 -> ?, ...     (1, 2) -> (...)     (1) -> (?)      IN (1) -> IN (...)
//   rows of literals        VALUES (1, 2), (3, 4) -> VALUES (...)     whatever their number
//   comments                left out, optimizer hints too; the code in /*! … */ stays
//   white space             one space between words; none before , ) ; . and none behind ( and .
//   keywords                upper case (those of sql_keywords.inc); all other words as written, also their quotes
//   the last semicolon      left out
// The digest: h = 0; for each 8 octets w of the normalised text (little endian, the last ones filled up with zeros)
// h = (h ^ w) * 0x9e3779b97f4a7c15, h ^= h >> 32; at last the same with the text's length as w.
// Text that is cut in the midst of a literal or a comment ends there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace probe::sql {

enum class Dialect : std::uint8_t {
  mysql,      // "…" is a string, \ escapes, # and -- comments, /*! code */, `names`
  postgresql  // "…" is a name, '…' without escapes, E'…' with, $tag$…$tag$, $1, nested comments
};

struct Normal {
  std::size_t length = 0;    // octets written; a character of UTF-8 at the end may be cut
  bool cut = false;          // there was more
  std::uint64_t digest = 0;  // of the whole normalised text, also of what did not fit
};

// Writes the normalised text into `out` as far as it fits. Takes any octets, no heap, time linear in them.
Normal normalise(std::string_view text, Dialect dialect, std::span<char> out);

// A digest as text: 16 hexadecimal digits, lower case.
std::array<char, 16> hexadecimal(std::uint64_t digest);

// The first word of a statement in upper case ("" if it begins with none): comments, ( and white space before it are
// passed over.
class Operation {
 public:
  Operation(std::string_view text, Dialect dialect);
  std::string_view name() const { return {letters_.data(), length_}; }
  // What follows the first word.
  std::string_view rest() const { return rest_; }

 private:
  std::array<char, 32> letters_{};
  std::size_t length_ = 0;
  std::string_view rest_;
};

}  // namespace probe::sql
