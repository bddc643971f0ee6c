#include "exporter/transport/address.h"

#include <netdb.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

namespace probe {

void Descriptor::reset() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

std::string SocketAddress::text() const {
  char host[NI_MAXHOST], port[NI_MAXSERV];
  if (getnameinfo(get(), length, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return "an unknown address";
  const std::string h(host);
  return (family() == AF_INET6 ? "[" + h + "]" : h) + ":" + port;
}

std::vector<SocketAddress> resolve(const Url& url, bool passive) {
  addrinfo hints{};
  hints.ai_socktype = url.scheme == Url::Scheme::udp ? SOCK_DGRAM : SOCK_STREAM;
  hints.ai_flags = passive ? AI_PASSIVE : 0;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(url.host.empty() ? nullptr : url.host.c_str(), url.port.c_str(), &hints, &list);
  if (error != 0)
    throw std::runtime_error("cannot find the address of " + url.text + ": " +
                             (error == EAI_SYSTEM ? error_text(errno) : gai_strerror(error)));
  std::vector<SocketAddress> out;
  for (const addrinfo* a = list; a; a = a->ai_next) {
    if (a->ai_addrlen > sizeof(sockaddr_storage)) continue;
    SocketAddress address;
    std::memcpy(&address.storage, a->ai_addr, a->ai_addrlen);
    address.length = a->ai_addrlen;
    out.push_back(address);
  }
  freeaddrinfo(list);
  if (out.empty()) throw std::runtime_error("cannot find the address of " + url.text);
  return out;
}

std::string error_text(int error) {
  char text[128];
  return strerror_r(error, text, sizeof text);
}

}  // namespace probe
