#include "exporter/text/table.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <string_view>

namespace probe {
namespace {

bool begins_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

// Characters, for text that is valid UTF-8. Wide and combining ones count as one: good enough for names and statements.
std::size_t characters(std::string_view s) {
  return static_cast<std::size_t>(std::ranges::count_if(s, begins_character));
}

// What would move the cursor or end the line is shown as a space; what is too long ends in "…".
std::string fitted(std::string_view text, std::size_t width) {
  std::string out;
  const bool cut = characters(text) > width;
  std::size_t n = 0;
  for (const char c : text) {
    if (begins_character(c) && ++n > (cut ? width - 1 : width)) break;
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  }
  return cut ? out + "…" : out;
}

void print_cell(std::FILE* file, std::string_view text, std::size_t width, bool right, bool last) {
  const std::string cell = fitted(text, width);
  const std::string space(width - characters(cell), ' ');
  fmt::print(file, "{}{}{}", right ? space : "", cell, right || last ? "" : space);
}

}  // namespace

void Table::print(std::FILE* file, std::size_t width) const {
  std::vector<std::size_t> widths;
  for (const Column& c : columns_) widths.push_back(characters(c.header));
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], characters(row[i]));
  constexpr std::size_t kGap = 2, kLeast = 12;
  const auto total = [&] { return std::accumulate(widths.begin(), widths.end(), kGap * (widths.size() - 1)); };
  while (total() > width) {
    std::size_t* widest = nullptr;
    for (std::size_t i = 0; i < widths.size(); ++i)
      if (!columns_[i].number && (!widest || widths[i] > *widest)) widest = &widths[i];
    if (!widest || *widest <= kLeast) break;
    --*widest;
  }
  const auto line = [&](auto&& cell) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) fmt::print(file, "{:{}}", "", kGap);
      print_cell(file, cell(i), widths[i], columns_[i].number, i + 1 == columns_.size());
    }
    fmt::print(file, "\n");
  };
  line([&](std::size_t i) -> std::string_view { return columns_[i].header; });
  for (const auto& row : rows_) line([&](std::size_t i) -> std::string_view { return row[i]; });
}

std::size_t terminal_width(std::FILE* file) {
  winsize size{};
  if (isatty(fileno(file)) != 0 && ioctl(fileno(file), TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 160;
}

}  // namespace probe
