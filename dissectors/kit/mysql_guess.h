// Is this MySQL? Told by the first octets of one side.
#pragma once

#include "dissectors/dissector.h"

namespace probe::mysql {

Guess guess(Bytes first);
// A login whose greeting was not seen.
bool may_be_login(Bytes front);

}  // namespace probe::mysql
