#include "exporter/transport/udp.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <thread>
#include <utility>

namespace probe {
namespace {

constexpr double kBurst = 32 * 1024;  // octets at once: a quarter of the smallest usual receive buffer
constexpr std::size_t kReplayQueue = 64 * 1024;
constexpr auto kLongestFinish = std::chrono::seconds(30);
constexpr auto kAnswer = std::chrono::milliseconds(200);  // after so long no ICMP comes back any more
constexpr auto kAskEvery = std::chrono::seconds(1);

bool is_away(int error) {
  return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH || error == ENETDOWN;
}

}  // namespace

UdpTransport::UdpTransport(const Url& url, TransportOptions options)
    : url_(url.text),
      options_(std::move(options)),
      // Ethernet's 1500 less IPv6 and UDP headers, and room for a tunnel. RFC 7011 §10.3.3: no fragments.
      message_octets_(number_option(url, "message", 1420, 512, 9000)),
      refresh_(static_cast<std::uint32_t>(number_option(url, "refresh", 60, 1, 3600))),
      rate_(static_cast<double>(number_option(url, "rate", 8'000'000, 10'000, 10'000'000'000))),
      allowance_(kBurst),
      refilled_(Clock::now()),
      queue_(options_.live ? number_option(url, "queue", 16 << 20, 65536, 1ull << 32) : kReplayQueue) {
  int error = 0;
  for (const SocketAddress& a : resolve(url, false)) {
    Descriptor s(socket(a.family(), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (s && connect(s.get(), a.get(), a.length) == 0) {
      socket_ = std::move(s);
      return;
    }
    error = errno;
  }
  throw std::runtime_error("cannot send to " + url_ + ": " + error_text(error));
}

void UdpTransport::send(Bytes message, const Tally& tally) {
  if (away_ && !asked_) {
    books_.failed += tally;
    return;
  }
  queue_.push(message, tally);
  pump();
  while (queue_.over()) {
    if (!options_.live || (end_ && Clock::now() < *end_)) {
      wait_for_allowance();
      pump();
      continue;
    }
    const Tally dropped = queue_.drop_oldest(false);
    if (dropped.data_records == 0) break;  // only templates are left, and they are few
    books_.queue_full += dropped;
    books_.trouble = url_ + ": more records than the configured rate lets through";
  }
}

void UdpTransport::refill() {
  const auto now = Clock::now();
  allowance_ = std::min(kBurst, allowance_ + rate_ * std::chrono::duration<double>(now - refilled_).count());
  refilled_ = now;
}

void UdpTransport::pump() {
  if (queue_.empty() || away_) return;
  refill();
  while (!queue_.empty()) {
    const auto size = static_cast<double>(queue_.front().octets.size());
    if (allowance_ < std::min(size, kBurst) || !transmit(queue_.front().octets)) return;
    allowance_ -= size;
    queue_.pop();
    if (away_) books_.failed += queue_.clear();
  }
}

bool UdpTransport::hand_over(Bytes message) {
  return ::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL) >= 0;
}

bool UdpTransport::transmit(Bytes message) {
  // The first error may be about an earlier datagram that nobody took (ICMP port unreachable): this one has not been
  // tried yet then.
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (hand_over(message)) {
      settle();
      ++books_.messages;
      books_.octets += message.size();
      last_ = queue_.front().tally;
      last_at_ = Clock::now();
      return true;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) return false;
    const int error = errno;
    if (error == ECONNREFUSED) books_.failed += std::exchange(last_, {});
    failed(error);
    if (away_ || (error != ECONNREFUSED && error != EINTR)) break;
  }
  books_.failed += queue_.front().tally;
  return true;
}

void UdpTransport::failed(int error) {
  books_.trouble =
      error == ECONNREFUSED ? "nobody listens at " + url_ : "cannot send to " + url_ + ": " + error_text(error);
  if (!options_.live || !is_away(error)) return;
  away_ = true;
  asked_ = false;
  asked_at_ = Clock::now();
}

int UdpTransport::pending_error() const {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

void UdpTransport::settle() { books_.sent += std::exchange(last_, {}); }

// At the end there is no time for answers from afar.
void UdpTransport::settle_now() {
  if (const int error = pending_error(); error == ECONNREFUSED) {
    failed(error);
    books_.failed += std::exchange(last_, {});
  }
  settle();
}

void UdpTransport::flush() {
  if (end_) settle_now();
}

void UdpTransport::turn() {
  pump();
  if (!away_ && last_.data_records == 0) return;
  const auto now = Clock::now();
  if (away_) return ask_again(now);
  if (now - last_at_ >= kAnswer) settle();
}

// The greeting says all that a collector must know, so that what follows is understood.
void UdpTransport::ask_again(Clock::time_point now) {
  if (asked_) {
    if (now - asked_at_ >= kAnswer) hear();
    return;
  }
  if (now - asked_at_ < kAskEvery) return;
  std::vector<std::vector<std::uint8_t>> greeting;
  if (options_.greeting) greeting = options_.greeting();
  asked_at_ = now;
  for (const auto& message : greeting)
    if (!hand_over(message)) return;
  asked_ = true;
}

void UdpTransport::hear() {
  away_ = is_away(pending_error());
  asked_ = false;
  if (away_) books_.failed += queue_.clear();
}

void UdpTransport::wait_for_allowance() {
  refill();
  const double missing = std::min(kBurst, static_cast<double>(queue_.front().octets.size())) - allowance_;
  // At least a little: a full socket has no other sign, and a sleep costs 50 µs anyway.
  std::this_thread::sleep_for(std::chrono::duration<double>(std::clamp(missing / rate_, 100e-6, 1.0)));
}

void UdpTransport::finish() {
  const auto end = std::min(Clock::now() + kLongestFinish, end_.value_or(Clock::time_point::max()));
  if (asked_) hear();
  for (pump(); !queue_.empty() && Clock::now() < end; pump()) wait_for_allowance();
  settle_now();
  if (queue_.empty()) return;
  books_.failed += queue_.clear();
  books_.trouble = url_ + ": not everything could be sent in time; is the rate too low?";
}

}  // namespace probe
