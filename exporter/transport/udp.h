// Datagrams, paced: a collector's socket buffer holds about a hundred of them, and what does not fit is lost in
// silence.
#pragma once

#include <chrono>

#include "exporter/transport/address.h"
#include "exporter/transport/queue.h"

namespace probe {

class UdpTransport : public Transport {
 public:
  UdpTransport(const Url&, bool live);
  void send(Bytes message, const Tally&) override;
  void turn() override { pump(); }
  void finish() override;
  std::size_t message_octets() const override { return message_octets_; }
  std::uint32_t refresh_seconds() const override { return refresh_; }

 private:
  using Clock = std::chrono::steady_clock;
  void pump();           // sends what the rate allows
  void refill();         // adds to the allowance what time has brought
  bool transmit(Bytes);  // false if the socket is full: try later
  void wait_for_allowance();

  std::string url_;
  bool live_;
  std::size_t message_octets_;
  std::uint32_t refresh_;
  double rate_;       // octets a second
  double allowance_;  // octets that may go now
  Clock::time_point refilled_;
  Descriptor socket_;
  MessageQueue queue_;
};

}  // namespace probe
