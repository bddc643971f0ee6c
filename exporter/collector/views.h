// The tables that people see of stored records.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

struct sqlite3;

namespace probe {

struct ViewRequest {
  std::string view;      // one of view_names(); empty: all that have rows
  std::string sort;      // a column's header; empty: the view's own order
  std::size_t top = 10;  // rows
};

std::vector<std::string> view_names();
// Headers of the columns of a view; empty if there is no such view.
std::vector<std::string> view_columns(const std::string& view);

// Throws std::runtime_error with a sentence if there is no such view or column, or the database is none of ours.
void print_views(sqlite3*, const ViewRequest&, std::FILE*);

// Questions to a database that have a name.
std::vector<std::string> question_names();

// The answer to a question: one of question_names(), which is printed ahead of it, or any SQL that yields rows; at most
// `top` of them. Throws std::runtime_error with what the database says about it.
void print_answer(sqlite3*, const std::string& question, std::size_t top, std::FILE*);

}  // namespace probe
