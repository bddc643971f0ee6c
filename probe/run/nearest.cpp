#include "probe/run/nearest.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace probe::run {
namespace {

// Levenshtein: insertions, deletions and replacements from one to the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j)
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])}));
  }
  return row.back();
}

}  // namespace

std::string did_you_mean(std::string_view name, std::span<const std::string_view> names) {
  std::string_view best;
  std::size_t least = std::max<std::size_t>(name.size() / 2, 2);
  for (const std::string_view n : names)
    if (const std::size_t d = edit_distance(name, n); d < least) {
      least = d;
      best = n;
    }
  if (best.empty()) return fmt::format("; there are {}", fmt::join(names, ", "));
  return fmt::format("; did you mean {}?", best);
}

}  // namespace probe::run
