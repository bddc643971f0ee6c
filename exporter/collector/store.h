// Records in an SQLite database: a table a kind of record, a column an element, NULL = not measured.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "exporter/record/sink.h"

struct sqlite3;
struct sqlite3_stmt;

namespace probe {

struct CloseDatabase {
  void operator()(sqlite3*) const;
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt*) const;
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

// Opens or makes the database. An empty path is a private one that is gone when it is closed. Throws
// std::runtime_error.
Database open_database(const std::string& path, bool read_only = false);
Statement prepare(sqlite3*, const std::string& sql);
void execute(sqlite3*, const std::string& sql);

class Store final : public Sink {
 public:
  // Adds to what is in the database; columns that it lacks are added, too.
  explicit Store(const std::string& path);
  ~Store() override;
  void put(const Record&) override;
  void flush() override;
  void finish() override;  // throws std::runtime_error if anything could not be stored
  sqlite3* database() const { return database_.get(); }

 private:
  void add_table(std::size_t kind);
  void commit();

  Database database_;
  std::array<Statement, schema::kKindCount> inserts_;
  std::string scratch_, error_;
  std::size_t pending_ = 0;
};

}  // namespace probe
