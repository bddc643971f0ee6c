// Datagrams, paced: a collector's socket buffer holds about a hundred of them, and what does not fit is lost in
// silence.
#pragma once

#include <chrono>

#include "exporter/transport/address.h"
#include "exporter/transport/queue.h"

namespace probe {

// Of datagrams there is no receipt, but a host on which nobody listens says so. Live, records then fail, and the
// greeting goes there every second until nobody says so any more: whoever listens now knows the templates first.
class UdpTransport : public Transport {
 public:
  UdpTransport(const Url&, TransportOptions);
  void send(Bytes message, const Tally&) override;
  void turn() override;
  void flush() override;
  void finish() override;
  std::size_t message_octets() const override { return message_octets_; }
  std::uint32_t refresh_seconds() const override { return refresh_; }

 private:
  using Clock = std::chrono::steady_clock;
  void pump();            // sends what the rate allows
  void refill();          // adds to the allowance what time has brought
  bool transmit(Bytes);   // false if the socket is full: try later
  bool hand_over(Bytes);  // the socket has it, or errno says why not
  void wait_for_allowance();
  void failed(int error);
  int pending_error() const;  // of an earlier datagram; it is told once
  void settle();              // nobody said that the last datagram did not arrive
  void settle_now();
  void ask_again(Clock::time_point now);
  void hear();  // whether somebody said that the greeting did not arrive

  std::string url_;
  const TransportOptions options_;
  std::size_t message_octets_;
  std::uint32_t refresh_;
  double rate_;       // octets a second
  double allowance_;  // octets that may go now
  Clock::time_point refilled_;
  Descriptor socket_;
  MessageQueue queue_;
  Tally last_;  // of the last datagram: it may yet be refused
  Clock::time_point last_at_;
  bool away_ = false;   // nobody listens, or there is no way
  bool asked_ = false;  // and a greeting is on its way: until it is heard of, messages wait
  Clock::time_point asked_at_;
};

}  // namespace probe
