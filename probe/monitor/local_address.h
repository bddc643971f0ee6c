// The address of a local socket.
#pragma once

#include <sys/un.h>

#include <string>

namespace probe::monitor {

// Throws std::runtime_error if the path is too long for one.
sockaddr_un local_address(const std::string& path);

}  // namespace probe::monitor
