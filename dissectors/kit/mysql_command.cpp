#include "dissectors/kit/mysql_command.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "dissectors/kit/mysql_packet.h"
#include "dissectors/kit/sql.h"

namespace probe::mysql {
namespace {

constexpr std::uint32_t kAny = kLongest;
constexpr CommandInfo kCommands[] = {
#define COMMAND(code, id, name, answer, least, most) {Command::id, name, Answer::answer, least, most},
#include "dissectors/kit/mysql_commands.inc"
#undef COMMAND
};

constexpr std::array<std::uint8_t, 256> command_places() {
  std::array<std::uint8_t, 256> out{};
  for (std::size_t i = 0; i < std::size(kCommands); ++i)
    out[static_cast<std::size_t>(kCommands[i].command)] = static_cast<std::uint8_t>(i + 1);
  return out;
}
constexpr auto kPlaces = command_places();

// Statements that clients send, by their first word.
constexpr std::string_view kStatements[] = {
    "ALTER",  "ANALYZE",  "BEGIN",     "CALL",     "CHANGE",  "CHECK",   "COMMIT",  "CREATE", "DEALLOCATE", "DELETE",
    "DESC",   "DESCRIBE", "DO",        "DROP",     "EXECUTE", "EXPLAIN", "FLUSH",   "GRANT",  "HANDLER",    "INSERT",
    "KILL",   "LOAD",     "LOCK",      "OPTIMIZE", "PREPARE", "PURGE",   "RELEASE", "RENAME", "REPLACE",    "RESET",
    "REVOKE", "ROLLBACK", "SAVEPOINT", "SELECT",   "SET",     "SHOW",    "START",   "STOP",   "TABLE",      "TRUNCATE",
    "UNLOCK", "UPDATE",   "USE",       "VALUES",   "WITH",    "XA"};

bool begins_statement(std::string_view text) {
  const sql::Operation first(text, sql::Dialect::mysql);
  return std::find(std::begin(kStatements), std::end(kStatements), first.name()) != std::end(kStatements);
}

// COM_STMT_EXECUTE: statement, flags, and an iteration count that is always 1.
bool is_execute(Bytes body) {
  constexpr std::uint8_t kFlags = 0x0f;
  Cursor c(body);
  c.skip(1 + 4);
  const std::uint8_t flags = c.u8();
  return c.u32_le() == 1 && flags <= kFlags && c.ok();
}

}  // namespace

const CommandInfo* find_command(std::uint8_t code) {
  return kPlaces[code] == 0 ? nullptr : &kCommands[kPlaces[code] - 1u];
}

std::size_t octets_of_interest(std::uint8_t command) {
  constexpr std::size_t kNumber = 1 + 4;
  switch (static_cast<Command>(command)) {
    case Command::query:
    case Command::stmt_prepare:
    case Command::init_db:
      return kAny;
    case Command::change_user:
      return 1024;
    case Command::stmt_execute:
    case Command::stmt_bulk_execute:
    case Command::stmt_close:
      return kNumber;
    default:
      return 1;
  }
}

bool may_be_command(Bytes front) {
  if (front.size() <= kHeaderOctets) return false;
  const Header h = header_of(front);
  const CommandInfo* info = find_command(front[kHeaderOctets]);
  if (h.sequence != 0 || !info || h.length < info->least || h.length > info->most) return false;
  // A client sends a command by itself: the segment ends with it, unless it is a long one or another follows.
  const Bytes rest = front.subspan(kHeaderOctets);
  const Bytes body = rest.first(std::min<std::size_t>(rest.size(), h.length));
  const std::size_t behind = rest.size() - body.size();
  if (behind > 0 && (behind < kHeaderOctets || rest[h.length + 3] != 0)) return false;
  if (body.size() < h.length && info->most != kAny) return false;
  switch (info->command) {
    case Command::query:
    case Command::stmt_prepare:
      return begins_statement(query_text(body.subspan(1), Attributes::unknown));
    case Command::stmt_execute:
      return is_execute(body);
    default:
      return true;
  }
}

bool may_become_command(Bytes front) {
  constexpr std::size_t kEnough = 64;
  if (front.size() <= kHeaderOctets) return front.size() < kHeaderOctets || front[3] == 0;
  const Header h = header_of(front);
  const CommandInfo* info = find_command(front[kHeaderOctets]);
  return h.sequence == 0 && info && h.length >= info->least && h.length <= info->most &&
         front.size() < std::min(kEnough, kHeaderOctets + h.length);
}

bool is_surely_command(Bytes front) {
  if (!may_be_command(front)) return false;
  const auto command = static_cast<Command>(front[kHeaderOctets]);
  return command == Command::query || command == Command::stmt_prepare || command == Command::stmt_execute;
}

}  // namespace probe::mysql
