// Is this MySQL? Told by the first octets of one side.
#pragma once

#include "dissectors/dissector.h"
#include "dissectors/kit/mysql_command.h"

namespace probe::mysql {

Guess guess(Bytes first);
// A login whose greeting was not seen.
bool may_be_login(Bytes front);
// How many octets tell whether a packet begins here. As few as can be: what is waited for may be something else.
std::size_t needed_to_find(Side from, Bytes front, bool login_seen);
// The first packet of an answer of this kind, by what is there of it and behind it.
bool may_be_answer(Bytes front, Answer);

}  // namespace probe::mysql
