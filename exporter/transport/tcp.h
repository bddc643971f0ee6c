// A TCP connection that never blocks the caller, comes back by itself, and begins with the templates each time.
#pragma once

#include <chrono>

#include "exporter/transport/address.h"
#include "exporter/transport/queue.h"

namespace probe {

class TcpTransport : public Transport {
 public:
  TcpTransport(const Url&, TransportOptions);
  void send(Bytes message, const Tally&) override;
  void turn() override { pump(); }
  void finish() override;
  std::size_t message_octets() const override { return 16 * 1024; }

 private:
  using Clock = std::chrono::steady_clock;
  enum class State : std::uint8_t { waiting, connecting, greeting, connected, given_up };

  void pump();
  void begin_connect();
  void check_connect();
  void connected();
  void lost(const std::string& why);
  void check_peer();
  void write_out();
  void wait(std::chrono::milliseconds most);  // until the socket can do something
  void wait_for_first_connection();
  void give_up();

  std::string url_;
  TransportOptions options_;
  std::vector<SocketAddress> addresses_;
  std::size_t next_address_ = 0;
  State state_ = State::waiting;
  Descriptor socket_;
  MessageQueue queue_;
  std::size_t written_ = 0;  // octets of the front message that are out
  std::chrono::milliseconds backoff_;
  Clock::time_point due_;       // waiting: next attempt; connecting: too late
  Clock::time_point progress_;  // last time that the socket took something
};

}  // namespace probe
