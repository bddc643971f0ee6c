#include "probe/run/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace probe::run {
namespace {

bool number_of(const char* text, std::uint64_t& n) {
  if (!text) return false;
  const char* end = text + std::strlen(text);
  return std::from_chars(text, end, n).ptr == end && end != text;
}

}  // namespace

// The protocol is a datagram to a local socket: not worth a library.
void notify(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = path ? std::strlen(path) : 0;
  if (length < 2 || length >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@')) return;
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';  // the abstract name space
  const int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (s < 0) return;
  sendto(s, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
         static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length));
  close(s);
}

std::optional<Nanos> watchdog_interval() {
  std::uint64_t microseconds = 0, pid = 0;
  if (!number_of(std::getenv("WATCHDOG_USEC"), microseconds) || microseconds == 0) return {};
  if (number_of(std::getenv("WATCHDOG_PID"), pid) && pid != static_cast<std::uint64_t>(getpid())) return {};
  return static_cast<Nanos>(microseconds) * kMicrosecond;
}

}  // namespace probe::run
