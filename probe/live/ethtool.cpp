#include "probe/live/ethtool.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

namespace probe::live {

Ethtool::Ethtool(const std::string& interface) : socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  // A name that is too long is that of no interface, and its beginning may be that of another one.
  if (interface.size() < IFNAMSIZ) std::memcpy(request_.ifr_name, interface.data(), interface.size());
}

Ethtool::~Ethtool() {
  if (socket_ >= 0) close(socket_);
}

bool Ethtool::ask(void* command) {
  request_.ifr_data = static_cast<char*>(command);
  return socket_ >= 0 && request_.ifr_name[0] != 0 && ioctl(socket_, SIOCETHTOOL, &request_) == 0;
}

}  // namespace probe::live
