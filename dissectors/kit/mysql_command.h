// The commands of the MySQL protocol: their names, and what kind of answer they get.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "probe/base/bytes.h"

namespace probe::mysql {

enum class Command : std::uint8_t {
#define COMMAND(code, id, name, answer, least, most) id = code,
#include "dissectors/kit/mysql_commands.inc"
#undef COMMAND
};

// What a command is answered with.
enum class Answer : std::uint8_t {
  none,         // nothing
  result,       // OK, ERR or result sets
  prepared,     // a statement id and descriptions
  rows,         // rows at once
  definitions,  // descriptions of columns at once
  line,         // a text
  login,        // an exchange of authentication, then OK or ERR
  stream        // something else without end
};

struct CommandInfo {
  Command command;
  std::string_view name;  // without COM_; "" if clients do not send it
  Answer answer = Answer::none;
  std::uint32_t least = 1, most = 1;  // octets of payload it can have
};
// nullptr: there is no such command.
const CommandInfo* find_command(std::uint8_t code);
inline const CommandInfo* find_command(Command c) { return find_command(static_cast<std::uint8_t>(c)); }

// How many octets of its payload say all that there is to say.
std::size_t octets_of_interest(std::uint8_t command);

// Has it a text?
constexpr bool is_statement(std::uint8_t command) {
  return command == static_cast<std::uint8_t>(Command::query) ||
         command == static_cast<std::uint8_t>(Command::stmt_prepare);
}

// Do these octets look like the front of a packet with a command? For a start in the midst of a stream.
bool may_be_command(Bytes front);
// Could they, if more of them were there?
bool may_become_command(Bytes front);
// They do, and there is no doubt: a known statement, or the fixed parts of another command that are unlikely elsewhere.
bool is_surely_command(Bytes front);

}  // namespace probe::mysql
