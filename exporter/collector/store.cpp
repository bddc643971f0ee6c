#include "exporter/collector/store.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <set>
#include <stdexcept>

#include "exporter/text/fields.h"
#include "exporter/text/value.h"

namespace probe {
namespace {

constexpr std::size_t kRowsPerTransaction = 20'000;

std::string_view column_type(const schema::Element& e) {
  switch (e.shape.type) {
    case schema::Type::text:
    case schema::Type::ipv4:
    case schema::Type::ipv6:
    case schema::Type::mac:
    case schema::Type::octets3:
      return "TEXT";
    case schema::Type::f64:
      return "REAL";
    default:
      return "INTEGER";
  }
}

const schema::Element& column(std::size_t kind, std::size_t i) {
  return schema::kElements[schema::kLayouts[kind].places[kFieldOrders[kind].places[i]].element];
}

std::set<std::string> columns_of(sqlite3* db, std::string_view table) {
  std::set<std::string> out;
  const Statement s = prepare(db, fmt::format("PRAGMA table_info({})", table));
  while (sqlite3_step(s.get()) == SQLITE_ROW)
    out.insert(reinterpret_cast<const char*>(sqlite3_column_text(s.get(), 1)));
  return out;
}

}  // namespace

void CloseDatabase::operator()(sqlite3* db) const { sqlite3_close_v2(db); }
void FinalizeStatement::operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }

Database open_database(const std::string& path, bool read_only) {
  sqlite3* raw = nullptr;
  const int result = sqlite3_open_v2(
      path.c_str(), &raw, read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  Database db(raw);
  if (result != SQLITE_OK)
    throw std::runtime_error(fmt::format("cannot open the database {}: {}", path, sqlite3_errstr(result)));
  return db;
}

Statement prepare(sqlite3* db, const std::string& sql) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(db, sql.c_str(), -1, &raw, nullptr) != SQLITE_OK)
    throw std::runtime_error(fmt::format("{} (in: {})", sqlite3_errmsg(db), sql));
  return Statement(raw);
}

void execute(sqlite3* db, const std::string& sql) {
  char* message = nullptr;
  if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &message) == SQLITE_OK) return;
  const std::string what = fmt::format("{} (in: {})", message ? message : "error", sql);
  sqlite3_free(message);
  throw std::runtime_error(what);
}

Store::Store(const std::string& path) : database_(open_database(path)) {
  // A replay or a collector can be run again: durability against power loss is not worth an fsync a transaction.
  execute(database(), "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF;");
  for (std::size_t k = 0; k < schema::kKindCount; ++k) add_table(k);
  execute(database(), "BEGIN");
}

Store::~Store() = default;

void Store::add_table(std::size_t kind) {
  const std::string_view name = schema::kKinds[kind].name;
  const std::set<std::string> there = columns_of(database(), name);
  std::string columns, names, marks;
  for (std::size_t i = 0; i < kFieldOrders[kind].count; ++i) {
    const schema::Element& e = column(kind, i);
    const std::string_view comma = i == 0 ? "" : ", ";
    columns += fmt::format("{}{} {}", comma, e.name(), column_type(e));
    names += fmt::format("{}{}", comma, e.name());
    marks += fmt::format("{}?", comma);
    if (!there.empty() && !there.contains(std::string(e.name())))
      execute(database(), fmt::format("ALTER TABLE {} ADD COLUMN {} {}", name, e.name(), column_type(e)));
  }
  if (there.empty()) execute(database(), fmt::format("CREATE TABLE {} ({})", name, columns));
  inserts_[kind] = prepare(database(), fmt::format("INSERT INTO {} ({}) VALUES ({})", name, names, marks));
}

void Store::put(const Record& r) {
  sqlite3_stmt* insert = inserts_[r.kind()].get();
  const FieldOrder& order = kFieldOrders[r.kind()];
  const schema::Groups groups = r.groups();
  for (std::size_t i = 0; i < order.count; ++i) {
    const std::size_t place = order.places[i];
    const int parameter = static_cast<int>(i) + 1;
    if (!r.has(place) || !schema::has(groups, column(r.kind(), i).group)) {
      sqlite3_bind_null(insert, parameter);
      continue;
    }
    const Value v = value_of(r, place, scratch_);
    if (const auto* text = std::get_if<std::string_view>(&v))
      sqlite3_bind_text(insert, parameter, text->data(), static_cast<int>(text->size()), SQLITE_TRANSIENT);
    else if (const auto* fraction = std::get_if<double>(&v))
      sqlite3_bind_double(insert, parameter, *fraction);
    else
      sqlite3_bind_int64(insert, parameter, static_cast<sqlite3_int64>(std::get<std::uint64_t>(v)));
  }
  if (sqlite3_step(insert) != SQLITE_DONE && error_.empty()) error_ = sqlite3_errmsg(database());
  sqlite3_reset(insert);
  if (++pending_ >= kRowsPerTransaction) commit();
}

void Store::commit() {
  pending_ = 0;
  if (sqlite3_exec(database(), "COMMIT; BEGIN", nullptr, nullptr, nullptr) != SQLITE_OK && error_.empty())
    error_ = sqlite3_errmsg(database());
}

void Store::flush() {
  if (pending_ > 0) commit();
}

void Store::finish() {
  if (sqlite3_exec(database(), "COMMIT", nullptr, nullptr, nullptr) != SQLITE_OK && error_.empty())
    error_ = sqlite3_errmsg(database());
  if (!error_.empty()) throw std::runtime_error("cannot store records: " + error_);
}

}  // namespace probe
