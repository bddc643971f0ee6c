#include "probe/monitor/local_server.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "probe/monitor/local_address.h"
#include "probe/monitor/snapshot.h"

namespace probe::monitor {
namespace {

constexpr std::size_t kLongestLine = 256;

[[noreturn]] void fail(const std::string& path, const char* what) {
  throw std::runtime_error(fmt::format("statistics.socket: cannot {} {}: {}", what, path, std::strerror(errno)));
}

// A socket that nobody answers is left over of a probe that was killed.
void remove_leftover(const std::string& path, const sockaddr_un& address) {
  struct stat s;
  if (lstat(path.c_str(), &s) != 0) return;
  if (!S_ISSOCK(s.st_mode))
    throw std::runtime_error(fmt::format("statistics.socket: {} is there and is no socket: choose another path", path));
  const Descriptor test(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(test.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    throw std::runtime_error(fmt::format("statistics.socket: another probe answers at {}: give each its own", path));
  unlink(path.c_str());
}

}  // namespace

struct LocalServer::Client {
  Descriptor socket;
  std::string in, out;
  std::optional<run::Statistics> before;  // as of its last question
};

LocalServer::LocalServer(const std::string& path, run::StatisticsSource& source, const RankingSink& ranking)
    : path_(path),
      source_(source),
      ranking_(ranking),
      listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  const sockaddr_un address = local_address(path);
  if (!listener_ || !wake_) fail(path, "make a socket for");
  remove_leftover(path, address);
  if (bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail(path, "make");
  // Nobody can connect before listen().
  if (chmod(path.c_str(), S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP) != 0 || listen(listener_.get(), kClients) != 0)
    fail(path, "listen at");
  thread_ = std::thread([this] { loop(); });
}

LocalServer::~LocalServer() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(wake_.get(), &one, sizeof one);
  if (thread_.joinable()) thread_.join();
  unlink(path_.c_str());
}

void LocalServer::loop() {
  std::vector<pollfd> waiting;
  for (;;) {
    waiting.assign({{wake_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}});
    if (clients_.size() >= kClients) waiting[1].events = 0;  // the others wait in the kernel's queue
    for (const auto& c : clients_)
      waiting.push_back({c->socket.get(), static_cast<short>(c->out.empty() ? POLLIN : POLLOUT), 0});
    if (poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) return;
    if (waiting[0].revents) return;
    std::size_t i = 2;
    std::erase_if(clients_, [&](const std::unique_ptr<Client>& c) { return waiting[i++].revents != 0 && !serve(*c); });
    if (waiting[1].revents) take_clients();
  }
}

void LocalServer::take_clients() {
  while (clients_.size() < kClients) {
    const int fd = accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    clients_.push_back(std::make_unique<Client>());
    clients_.back()->socket = Descriptor(fd);
  }
}

bool LocalServer::serve(Client& c) {
  if (c.out.empty()) {
    char piece[kLongestLine];
    const ssize_t n = recv(c.socket.get(), piece, sizeof piece, 0);
    if (n <= 0) return n < 0 && (errno == EAGAIN || errno == EINTR);
    c.in.append(piece, static_cast<std::size_t>(n));
    const std::size_t end = c.in.find('\n');
    if (end == c.in.npos) return c.in.size() <= kLongestLine;
    c.out = answer(c, c.in.substr(0, end + 1));
    c.in.clear();  // one question at a time
  }
  const ssize_t n = send(c.socket.get(), c.out.data(), c.out.size(), MSG_NOSIGNAL);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  c.out.erase(0, static_cast<std::size_t>(n));
  return true;
}

std::string LocalServer::answer(Client& c, const std::string& line) {
  using Json = nlohmann::ordered_json;
  Json out;
  if (line != kRequest) {
    out["error"] = "ask with the line: statistics";
  } else {
    try {
      run::Statistics now = source_.statistics();
      out = snapshot_of(now, c.before ? &*c.before : nullptr, ranking_.ranks());
      c.before = std::move(now);
    } catch (const std::exception& e) {
      out = {{"error", e.what()}};
    }
  }
  return out.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace probe::monitor
