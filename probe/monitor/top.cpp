#include "probe/monitor/top.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "exporter/transport/address.h"
#include "probe/monitor/local_address.h"
#include "probe/monitor/local_server.h"
#include "probe/monitor/screen.h"

namespace probe::monitor {
namespace {

using Json = nlohmann::ordered_json;
constexpr int kInterval = 1000, kPatience = 5000;  // milliseconds
constexpr std::size_t kLongestAnswer = 16 << 20;

volatile std::sig_atomic_t interrupted = 0;
extern "C" void on_signal(int) { interrupted = 1; }

class Probe {
 public:
  explicit Probe(const std::string& path) : path_(path), socket_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const sockaddr_un address = local_address(path);
    if (connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error(
          fmt::format("no probe answers at {}: {}. Does it run with statistics.socket = \"{}\", and may you open it?",
                      path, std::strerror(errno), path));
  }
  Json ask() {
    if (send(socket_.get(), kRequest, std::strlen(kRequest), MSG_NOSIGNAL) < 0) gone();
    std::string line;
    while (!line.ends_with('\n')) {
      pollfd p{socket_.get(), POLLIN, 0};
      if (poll(&p, 1, kPatience) == 0) throw std::runtime_error(fmt::format("the probe at {} does not answer", path_));
      char piece[65536];
      const ssize_t n = recv(socket_.get(), piece, sizeof piece, 0);
      if (n < 0 && errno == EINTR) continue;  // the answer is on its way
      if (n <= 0 || line.size() > kLongestAnswer) gone();
      line.append(piece, static_cast<std::size_t>(n));
    }
    Json answer = Json::parse(line);
    if (answer.contains("error")) throw std::runtime_error(answer["error"].get<std::string>());
    return answer;
  }

 private:
  [[noreturn]] void gone() { throw std::runtime_error(fmt::format("the probe at {} has ended", path_)); }
  std::string path_;
  Descriptor socket_;
};

// The alternate screen with keys as they are pressed; everything is as before when it ends.
class Terminal {
 public:
  Terminal() {
    tcgetattr(STDIN_FILENO, &before_);
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    fmt::print("\x1b[?1049h\x1b[?25l");
  }
  ~Terminal() {
    tcsetattr(STDIN_FILENO, TCSANOW, &before_);
    fmt::print("\x1b[?25h\x1b[?1049l");
    std::fflush(stdout);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  void show(const Json& snapshot) {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) size = {24, 80, 0, 0};
    // The last line stays free: a line feed there would scroll.
    const std::string text = screen_of(snapshot, size.ws_col, size.ws_row > 2 ? size.ws_row - 2u : 1u);
    std::string out = "\x1b[H";
    for (const char c : text) out += c == '\n' ? "\x1b[K\n" : std::string(1, c);
    fmt::print("{}\x1b[J\x1b[7mq: quit\x1b[0m", out);
    std::fflush(stdout);
  }

 private:
  termios before_{};
};

// Waits for the next second; true if somebody wants to end.
bool wants_to_end(bool keys) {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + std::chrono::milliseconds(kInterval);
  while (!interrupted) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0) return false;
    pollfd p{STDIN_FILENO, POLLIN, 0};
    if (poll(&p, keys ? 1 : 0, static_cast<int>(left)) <= 0) continue;
    char key = 0;
    if (read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q') return true;
  }
  return true;
}

void print(const TopRequest& request, const Json& snapshot) {
  if (request.json)
    fmt::print("{}\n", snapshot.dump(-1, ' ', false, Json::error_handler_t::replace));
  else
    fmt::print("{}", screen_of(snapshot, 80, 0));
  if (std::fflush(stdout) != 0) interrupted = 1;  // nobody reads any more
}

}  // namespace

int top(const TopRequest& request) {
  struct sigaction action {};
  action.sa_handler = on_signal;  // without SA_RESTART: what waits ends
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  Probe probe(request.socket);
  probe.ask();  // rates are of the time since the last question
  if (request.once || request.json || isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0) {
    while (!wants_to_end(false)) {
      print(request, probe.ask());
      if (request.once) break;
    }
    return 0;
  }
  Terminal terminal;
  terminal.show(probe.ask());
  while (!wants_to_end(true)) terminal.show(probe.ask());
  return 0;
}

}  // namespace probe::monitor
