// SQL text of any octets in both dialects: normalising stays inside its text and its room, the digest does not depend
// on the room, and no string comes through.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "dissectors/kit/sql.h"

namespace {

using namespace probe::sql;

void check(bool holds) {
  if (!holds) std::abort();
}

void try_dialect(std::string_view text, Dialect dialect) {
  std::vector<char> large(text.size() * 3 + 64), small(text.size() / 2);
  const Normal n = normalise(text, dialect, large), m = normalise(text, dialect, small);
  check(n.digest == m.digest);
  check(!n.cut && n.length <= large.size());
  check(m.length == std::min(n.length, small.size()) && m.cut == (n.length > small.size()));
  check(std::equal(small.begin(), small.begin() + static_cast<std::ptrdiff_t>(m.length), large.begin()));
  // Literals are what redaction takes out: what is left can only have quotes within quoted names.
  const std::string_view normal(large.data(), n.length);
  const char name_quote = dialect == Dialect::mysql ? '`' : '"';
  if (text.find(name_quote) == text.npos) check(normal.find('\'') == normal.npos);
  check(Operation(text, dialect).name().size() <= text.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<char> exact(data, data + size);  // so that the sanitizer sees the first octet beyond
  try_dialect({exact.data(), exact.size()}, Dialect::mysql);
  try_dialect({exact.data(), exact.size()}, Dialect::postgresql);
  return 0;
}
