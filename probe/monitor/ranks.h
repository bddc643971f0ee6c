// Who stands out among the latest records: talkers, slow servers, hosts that send again.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/record/sink.h"

namespace probe::monitor {

struct Ranks {
  struct Talker {  // a client and a service of a server
    std::string client, server, application;
    std::uint8_t protocol = 0;
    std::uint16_t port = 0;
    std::uint64_t octets = 0, packets = 0, flows = 0;
  };
  struct Server {  // by kind of transaction
    std::string server, kind;
    std::uint64_t transactions = 0, mean_us = 0, max_us = 0;  // the server's share of response times
  };
  struct Sender {
    std::string host;
    std::uint64_t retransmitted = 0, packets = 0;  // of flows seen since it first sent again
  };
  double seconds = 0;                  // how long the time is that the servers are of
  double flow_seconds = 0;             // and the talkers and senders
  std::vector<Talker> talkers;         // most octets first
  std::vector<Server> slowest;         // greatest mean first
  std::vector<Sender> retransmitters;  // most retransmissions first
};

// A sink of the exporter's thread; any thread may ask. Bounded: kKept keys of each sort, whatever the traffic.
class RankingSink final : public Sink {
 public:
  static constexpr std::size_t kKept = 1024, kShown = 10;
  static constexpr std::chrono::seconds kHalf{30};  // ranks are of this and the half before
  using Clock = std::chrono::steady_clock;

  // `longest_interval`: of flow records (flow.active_timeout). Their halves are no shorter, so that a flow which goes
  // on for long is always in the ranks.
  explicit RankingSink(std::chrono::nanoseconds longest_interval, std::function<Clock::time_point()> now = &Clock::now);
  ~RankingSink() override;

  void put(const Record&) override;
  void flush() override;
  void finish() override {}

  Ranks ranks() const;

 private:
  struct Flows;
  struct Transactions;
  template <class Part>
  struct Halves {
    std::chrono::nanoseconds length;
    std::unique_ptr<Part> current, previous;
    void begin(Clock::time_point);
    void turn(Clock::time_point);
    double seconds(Clock::time_point now) const;
  };
  void rank_flows(Ranks&) const;
  void rank_transactions(Ranks&) const;

  std::function<Clock::time_point()> now_;
  Halves<Flows> flows_;
  Halves<Transactions> transactions_;
  mutable std::mutex mutex_;  // for shown_
  Ranks shown_;
};

}  // namespace probe::monitor
