#include "exporter/transport/tcp.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

namespace probe {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kFirstBackoff{100}, kLongestBackoff{30'000};
constexpr seconds kConnectTimeout{5};
constexpr seconds kFirstConnection{3};  // a replay waits so long for a collector that is just being started
constexpr seconds kStalled{15};         // a replay, or the end of a live run, waits so long for a sign of life
constexpr std::size_t kReplayQueue = 1 << 20;

}  // namespace

TcpTransport::TcpTransport(const Url& url, TransportOptions options)
    : url_(url.text),
      options_(std::move(options)),
      addresses_(resolve(url, false)),
      queue_(options_.live ? number_option(url, "queue", 16 << 20, 65536, 1ull << 32) : kReplayQueue),
      backoff_(kFirstBackoff),
      due_(Clock::now()),
      progress_(due_) {
  if (!options_.live) wait_for_first_connection();
}

void TcpTransport::wait_for_first_connection() {
  const auto end = Clock::now() + kFirstConnection;
  while (state_ != State::connected) {
    if (Clock::now() >= end) throw std::runtime_error(books_.trouble.empty() ? "cannot reach " + url_ : books_.trouble);
    backoff_ = kFirstBackoff;
    pump();
    if (state_ != State::connected) wait(milliseconds(20));
  }
  books_.trouble.clear();
}

void TcpTransport::send(Bytes message, const Tally& tally) {
  if (state_ == State::given_up) {
    books_.failed += tally;
    return;
  }
  if (queue_.empty()) progress_ = Clock::now();
  queue_.push(message, tally);
  pump();
  while (queue_.over()) {
    const bool wait_for_it = !options_.live || (state_ == State::connected && end_ && Clock::now() < *end_);
    if (!wait_for_it) {
      const Tally dropped = queue_.drop_oldest(written_ > 0);
      if (dropped.data_records == 0) break;  // only templates are left, and they are few
      (state_ == State::connected ? books_.queue_full : books_.failed) += dropped;
      continue;
    }
    if (Clock::now() - progress_ > kStalled) return give_up();
    wait(milliseconds(100));
    pump();
  }
}

void TcpTransport::pump() {
  if (state_ == State::waiting && Clock::now() >= due_) begin_connect();
  if (state_ == State::connecting) check_connect();
  if (state_ == State::connected) check_peer();
  if (state_ == State::connected) write_out();
}

void TcpTransport::begin_connect() {
  const SocketAddress& a = addresses_[next_address_++ % addresses_.size()];
  socket_ = Descriptor(socket(a.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_) return lost("cannot connect to " + url_ + ": " + error_text(errno));
  due_ = Clock::now() + kConnectTimeout;
  state_ = State::connecting;
  if (connect(socket_.get(), a.get(), a.length) == 0) return connected();
  if (errno != EINPROGRESS) lost("cannot connect to " + url_ + ": " + error_text(errno));
}

void TcpTransport::check_connect() {
  pollfd p{socket_.get(), POLLOUT, 0};
  if (poll(&p, 1, 0) <= 0) {
    if (Clock::now() >= due_) lost("cannot connect to " + url_ + ": no answer");
    return;
  }
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) return lost("cannot connect to " + url_ + ": " + error_text(error));
  connected();
}

void TcpTransport::connected() {
  state_ = State::greeting;  // the greeting may send what was begun: that waits in the queue
  backoff_ = kFirstBackoff;
  progress_ = Clock::now();
  written_ = 0;
  ++books_.connections;
  std::vector<std::vector<std::uint8_t>> greeting;
  if (options_.greeting) greeting = options_.greeting();
  state_ = State::connected;
  queue_.drop_without_data();
  for (auto m = greeting.rbegin(); m != greeting.rend(); ++m) {
    // RFC 7011 §3.1: the sequence number of a message is that of the data record which comes next in this stream. That
    // of templates is the number of the message they stand before now; what is told in domain 0 has records of its own.
    constexpr std::size_t kSequence = 8, kDomain = 12, kHeader = 16;
    const Bytes header = Bytes(*m).first(kHeader), domain = header.subspan(kDomain);
    const bool templates = std::any_of(domain.begin(), domain.end(), [](std::uint8_t o) { return o != 0; });
    if (templates && !queue_.empty() &&
        std::equal(domain.begin(), domain.end(), queue_.front().octets.begin() + kDomain))
      std::copy_n(queue_.front().octets.begin() + kSequence, 4, m->begin() + kSequence);
    queue_.push_front(std::move(*m));
  }
}

void TcpTransport::lost(const std::string& why) {
  books_.trouble = why;
  socket_.reset();
  written_ = 0;  // the front message goes again, whole
  if (state_ == State::given_up) return;
  state_ = State::waiting;
  due_ = Clock::now() + backoff_;
  backoff_ = std::min(2 * backoff_, kLongestBackoff);
}

// A collector says nothing (RFC 7011 §10.4.1), so what can be read is its goodbye.
void TcpTransport::check_peer() {
  char ignored[512];
  for (int i = 0; i < 4; ++i) {
    const ssize_t n = recv(socket_.get(), ignored, sizeof ignored, MSG_DONTWAIT);
    if (n > 0) continue;
    if (n == 0) return lost(url_ + " closed the connection");
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
      lost("lost the connection to " + url_ + ": " + error_text(errno));
    return;
  }
}

void TcpTransport::write_out() {
  while (!queue_.empty()) {
    const Bytes rest = Bytes(queue_.front().octets).subspan(written_);
    const ssize_t n = ::send(socket_.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (n < 0) return lost("lost the connection to " + url_ + ": " + error_text(errno));
    progress_ = Clock::now();
    written_ += static_cast<std::size_t>(n);
    if (written_ < queue_.front().octets.size()) continue;
    ++books_.messages;
    books_.octets += queue_.front().octets.size();
    books_.sent += queue_.pop();
    written_ = 0;
  }
}

void TcpTransport::wait(milliseconds most) {
  pollfd p{socket_.get(), POLLOUT, 0};  // a negative descriptor is ignored
  poll(&p, 1, static_cast<int>(most.count()));
}

void TcpTransport::give_up() {
  state_ = State::given_up;
  if (books_.trouble.empty()) books_.trouble = url_ + " takes nothing any more";
  books_.failed += queue_.clear();
  written_ = 0;
  socket_.reset();
}

void TcpTransport::finish() {
  progress_ = Clock::now();
  for (pump(); !queue_.empty() && state_ != State::given_up; pump()) {
    if (Clock::now() - progress_ > kStalled || (end_ && Clock::now() > *end_)) give_up();
    wait(milliseconds(50));
  }
  if (socket_) shutdown(socket_.get(), SHUT_WR);
}

}  // namespace probe
