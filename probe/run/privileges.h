// Gives up what is only needed to open ports.
#pragma once

#include <string>

namespace probe::run {

// Becomes `user` with its groups, if the process is root and a user is given. Whoever the process is then, all
// capabilities of this thread and of those that it starts are given up, and none can be won back (no_new_privs): open
// ports need none. Root without a user keeps everything. Throws std::runtime_error with a sentence. What was done, for
// the log.
std::string drop_privileges(const std::string& user);

}  // namespace probe::run
