#include "dissectors/kit/sql_draft.h"

#include <array>

namespace probe::sql {

Described describe_statement(Draft<"sql">& draft, std::string_view text, Dialect dialect,
                             std::optional<std::uint64_t> digest) {
  constexpr std::size_t kLimit = schema::kElements[schema::find_element("databaseStatement")].shape.limit;
  constexpr std::size_t kLongestCharacter = 4;  // so that the record cuts between characters, not this buffer
  if (text.empty()) return {};
  std::array<char, kLimit + kLongestCharacter> buffer;
  const Normal n = normalise(text, dialect, buffer);
  const Described out{digest.value_or(n.digest), text.size() > kLimit || n.length > kLimit};
  const std::array<char, 16> digits = hexadecimal(out.digest);
  draft.set<"databaseStatement">(text);
  draft.set<"databaseStatementDigestText">(std::string_view(buffer.data(), n.length));
  draft.set<"databaseStatementDigest">(std::string_view(digits.data(), digits.size()));
  return out;
}

}  // namespace probe::sql
