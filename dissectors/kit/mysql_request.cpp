#include "dissectors/kit/mysql_request.h"

#include <optional>

#include "dissectors/kit/sql_draft.h"
#include "probe/base/quality.h"

namespace probe::mysql {
namespace {

using sql::Dialect;

// The schema that stands behind USE, without its quotes; "" if it is not plain.
std::string_view schema_of(std::string_view s) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ';'; };
  while (!s.empty() && blank(s.front())) s.remove_prefix(1);
  while (!s.empty() && blank(s.back())) s.remove_suffix(1);
  if (s.size() >= 2 && s.front() == '`' && s.back() == '`') return s.substr(1, s.size() - 2);
  return s.find_first_of(" \t\r\n;/`") == s.npos ? s : std::string_view();
}

constexpr std::uint64_t kNoDigest = 0;

void mark(Pending& p, Quality q) { p.exchange.quality |= bit_of(q); }

// What is known of a statement. Of one that is cut, but not for its length, nothing can be told but its beginning.
std::uint64_t describe_text(Pending& p, std::string_view text, Extent extent,
                            std::optional<std::uint64_t> digest = {}) {
  if (extent != Extent::whole) mark(p, Quality::text_cut);
  if (extent == Extent::torn) {
    p.draft.set<"databaseStatement">(text);
    return kNoDigest;
  }
  const sql::Described d = describe_statement(p.draft, text, Dialect::mysql, digest);
  if (d.cut) mark(p, Quality::text_cut);
  return d.digest;
}

void change_schema(Pending& p, std::string_view to, Notebook& notes) {
  p.note = notes.keep(to);
  p.changes_schema = true;
}

}  // namespace

void Requests::describe(PendingQueue& queue, Bytes body, bool whole, Identity& who, Notebook& notes) {
  const std::size_t most = kMostNeeded - kHeaderOctets;
  const Extent extent = whole ? Extent::whole : body.size() < most ? Extent::torn : Extent::long_one;
  Pending& p = queue.back();
  const Bytes rest = body.subspan(1);
  switch (p.command) {
    case Command::query:
      return query(p, rest, extent, who.terms.query_attributes(), notes);
    case Command::stmt_prepare:
      return prepare(p, as_text(rest), extent, notes);
    case Command::stmt_execute:
    case Command::stmt_bulk_execute:
      return execute(p, statement(queue, rest));
    case Command::init_db:
      change_schema(p, as_text(rest), notes);
      break;
    case Command::change_user:
      change_user(rest, who, notes);
      break;
    case Command::reset_connection:
      forget(notes);
      break;
    default:
      break;
  }
  p.draft.set<"databaseOperation">(find_command(body[0])->name);
}

void Requests::query(Pending& p, Bytes rest, Extent extent, Attributes attributes, Notebook& notes) {
  const std::string_view text = query_text(rest, attributes);
  const sql::Operation operation(text, Dialect::mysql);
  describe_text(p, text, extent);
  if (operation.name() == "USE") change_schema(p, schema_of(operation.rest()), notes);
  p.draft.set<"databaseOperation">(operation.name().empty() ? "QUERY" : operation.name());
}

void Requests::prepare(Pending& p, std::string_view text, Extent extent, Notebook& notes) {
  const std::uint64_t digest = describe_text(p, text, extent);
  p.note = Statement{digest, extent != Extent::whole, text}.keep(notes);
  p.draft.set<"databaseOperation">("PREPARE");
}

void Requests::execute(Pending& p, Notebook::Note note) {
  const Statement s = note ? Statement::read(note) : Statement();
  const sql::Operation operation(s.text, Dialect::mysql);
  const Extent extent = !s.cut ? Extent::whole : s.digest == kNoDigest ? Extent::torn : Extent::long_one;
  describe_text(p, s.text, extent, s.digest);
  p.draft.set<"databaseOperation">(operation.name().empty() ? find_command(p.command)->name : operation.name());
}

// The note of the statement that a command names, nullptr if it is not known.
Notebook::Note Requests::statement(PendingQueue& queue, Bytes rest) const {
  constexpr std::uint32_t kLast = 0xffffffff;  // MariaDB: for clients that do not wait for the number
  Cursor c(rest);
  const std::uint32_t id = c.u32_le();
  if (!c.ok()) return nullptr;
  if (id != kLast) return statements_.find(id);
  for (std::size_t i = queue.size(); i-- > 0;)
    if (queue.at(i).answer == Answer::prepared) return queue.at(i).note;
  return statements_.find(last_);
}

void Requests::change_user(Bytes rest, Identity& who, Notebook& notes) {
  forget(notes);
  const auto l = read_change_user(rest, who.terms.capabilities);
  if (!l) return;
  who.user.set(l->user);  // at once: if it fails, the connection is over
  who.database.set(l->database);
}

void Requests::unanswered(Bytes body, Notebook& notes) {
  Cursor c(body.subspan(1));
  const std::uint32_t id = c.u32_le();
  if (body[0] == static_cast<std::uint8_t>(Command::stmt_close) && c.ok()) statements_.drop(notes, id);
}

void Requests::prepared(std::uint32_t id, Notebook::Note note, Notebook& notes) {
  last_ = id;
  if (note) statements_.put(notes, id, note);
}

}  // namespace probe::mysql
