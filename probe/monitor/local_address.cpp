#include "probe/monitor/local_address.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <cstring>
#include <stdexcept>

namespace probe::monitor {

sockaddr_un local_address(const std::string& path) {
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof a.sun_path)
    throw std::runtime_error(
        fmt::format("\"{}\" cannot be a local socket: its path has 1 to {} octets", path, sizeof a.sun_path - 1));
  std::memcpy(a.sun_path, path.data(), path.size());
  return a;
}

}  // namespace probe::monitor
