// What a statement says about itself, written into a record of kind "sql".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "dissectors/dissector.h"
#include "dissectors/kit/sql.h"

namespace probe::sql {

struct Described {
  std::uint64_t digest = 0;
  bool cut = false;  // not all of the text is in the record: Quality::text_cut
};

// Sets the statement, its digest and the digest text. `digest`: if it is known already, of more text than is here.
Described describe_statement(Draft<"sql">&, std::string_view text, Dialect, std::optional<std::uint64_t> digest = {});

}  // namespace probe::sql
