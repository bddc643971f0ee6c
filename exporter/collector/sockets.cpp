#include "exporter/collector/sockets.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

namespace probe {
namespace {

constexpr std::size_t kMostPeers = 256, kMostConnections = 256;
constexpr int kReceiveBuffer = 16 << 20;
constexpr int kDatagramsAtOnce = 256;
constexpr std::size_t kHeader = 16;

Descriptor open_listener(const Url& url, const SocketAddress& a) {
  const bool udp = url.scheme == Url::Scheme::udp;
  Descriptor s(socket(a.family(), (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!s) return s;
  const int on = 1;
  if (a.family() == AF_INET6) setsockopt(s.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (!udp) setsockopt(s.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  // More than net.core.rmem_max takes a privilege; without it we get that much.
  if (udp && setsockopt(s.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer) != 0)
    setsockopt(s.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
  if (bind(s.get(), a.get(), a.length) != 0 || (!udp && ::listen(s.get(), 64) != 0)) s.reset();
  return s;
}

std::uint16_t port_of(int socket) {
  SocketAddress a;
  a.length = sizeof a.storage;
  if (getsockname(socket, a.get(), &a.length) != 0) return 0;
  const std::string text = a.text();
  return static_cast<std::uint16_t>(std::stoul(text.substr(text.rfind(':') + 1)));
}

}  // namespace

std::uint16_t Sockets::listen(const Url& url) {
  if (!url.network()) throw std::runtime_error("cannot listen on " + url.text + ": only udp:// and tcp:// can");
  if (!url.options.empty()) throw std::runtime_error("\"" + url.text + "\": a listener has no options");
  std::uint16_t port = 0;
  int error = 0;
  for (const SocketAddress& a : resolve(url, true)) {
    if (port != 0 && url.port == "0") break;  // a second family would get another port
    Descriptor s = open_listener(url, a);
    if (!s) {
      error = errno;
      continue;
    }
    port = port_of(s.get());
    (url.scheme == Url::Scheme::udp ? udp_ : tcp_).push_back(std::move(s));
  }
  if (port == 0) throw std::runtime_error("cannot listen on " + url.text + ": " + error_text(error));
  return port;
}

bool Sockets::receive(std::chrono::milliseconds most) {
  std::vector<pollfd> polled;
  for (const Descriptor& s : udp_) polled.push_back({s.get(), POLLIN, 0});
  for (const Descriptor& s : tcp_) polled.push_back({s.get(), POLLIN, 0});
  for (const Connection& c : connections_) polled.push_back({c.socket.get(), POLLIN, 0});
  if (poll(polled.data(), polled.size(), static_cast<int>(most.count())) <= 0) return false;

  std::size_t i = 0;
  for (const Descriptor& s : udp_)
    if (polled[i++].revents != 0) read_datagrams(s.get());
  const std::size_t listeners = i;
  i += tcp_.size();
  for (auto c = connections_.begin(); c != connections_.end();) {
    if (polled[i++].revents == 0 || read_connection(*c)) {
      ++c;
      continue;
    }
    ledger_.add(c->peer, c->reader);
    c = connections_.erase(c);
  }
  for (std::size_t t = 0; t < tcp_.size(); ++t)
    if (polled[listeners + t].revents != 0) accept_connections(tcp_[t].get());
  return true;
}

void Sockets::read_datagrams(int socket) {
  for (int n = 0; n < kDatagramsAtOnce; ++n) {
    SocketAddress from;
    from.length = sizeof from.storage;
    const ssize_t size = recvfrom(socket, datagram_.data(), datagram_.size(), 0, from.get(), &from.length);
    if (size < 0) return;
    Peer& peer = peer_of(from);
    peer.heard = ++heard_;
    const char* trouble = peer.reader->read({datagram_.data(), static_cast<std::size_t>(size)});
    if (trouble) ledger_.trouble("a datagram from " + from.text() + ": " + trouble);
  }
}

Sockets::Peer& Sockets::peer_of(const SocketAddress& from) {
  const std::string key(reinterpret_cast<const char*>(&from.storage), from.length);
  const auto found = peers_.find(key);
  if (found != peers_.end()) return found->second;
  if (peers_.size() >= kMostPeers) {  // the one that was silent for longest is forgotten
    const auto oldest = std::min_element(peers_.begin(), peers_.end(),
                                         [](const auto& a, const auto& b) { return a.second.heard < b.second.heard; });
    ledger_.add("udp", *oldest->second.reader);
    peers_.erase(oldest);
  }
  return peers_.emplace(key, Peer{std::make_unique<ipfix::Reader>(enterprise_, receiver_)}).first->second;
}

void Sockets::accept_connections(int socket) {
  for (;;) {
    SocketAddress from;
    from.length = sizeof from.storage;
    Descriptor s(accept4(socket, from.get(), &from.length, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!s) return;
    if (connections_.size() >= kMostConnections) {
      ledger_.trouble("refused " + from.text() + ": there are " + std::to_string(kMostConnections) + " connections");
      continue;
    }
    connections_.emplace_back(std::move(s), from.text(), enterprise_, receiver_);
  }
}

bool Sockets::read_connection(Connection& c) {
  constexpr std::size_t kAtOnce = 256 * 1024;
  const std::size_t before = c.buffer.size();
  c.buffer.resize(before + kAtOnce);
  const ssize_t n = recv(c.socket.get(), c.buffer.data() + before, kAtOnce, 0);
  c.buffer.resize(before + (n > 0 ? static_cast<std::size_t>(n) : 0));
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return true;
  if (n > 0) return read_messages(c);
  if (!c.buffer.empty()) ledger_.trouble(c.peer + ": the connection ended within a message");
  return false;
}

bool Sockets::read_messages(Connection& c) {
  std::size_t at = 0;
  bool good = true;
  while (c.buffer.size() - at >= kHeader) {
    Cursor header(Bytes(c.buffer).subspan(at));
    const std::uint16_t version = header.u16(), length = header.u16();
    if (version != 10 || length < kHeader) {
      ledger_.trouble(c.peer + ": what came is not IPFIX; the connection was closed");
      good = false;
      break;
    }
    if (c.buffer.size() - at < length) break;
    if (const char* trouble = c.reader.read(Bytes(c.buffer).subspan(at, length)))
      ledger_.trouble("a message from " + c.peer + ": " + trouble);
    at += length;
  }
  c.buffer.erase(c.buffer.begin(), c.buffer.begin() + static_cast<std::ptrdiff_t>(at));
  return good;
}

void Sockets::add_open_streams(Ledger& to) const {
  for (const auto& [key, peer] : peers_) {
    SocketAddress a;
    a.length = static_cast<socklen_t>(std::min(key.size(), sizeof a.storage));
    std::copy_n(key.begin(), a.length, reinterpret_cast<char*>(&a.storage));
    to.add(a.text(), *peer.reader);
  }
  for (const Connection& c : connections_) to.add(c.peer, c.reader);
}

}  // namespace probe
