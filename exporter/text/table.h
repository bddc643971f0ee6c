// A table for people: columns as wide as they need, numbers to the right, long texts cut to the width of the terminal.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace probe {

struct Column {
  std::string header;
  bool number = false;  // to the right
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  // `width`: columns of the terminal; the widest text column gives way.
  void print(std::FILE*, std::size_t width) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Of the terminal behind `file`, 160 if it is none.
std::size_t terminal_width(std::FILE* file);

}  // namespace probe
