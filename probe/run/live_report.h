// What the log of a running probe tells by itself: losses as they begin, links that go, and rates from time to time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "probe/run/statistics.h"

namespace probe::run {

class LiveReport {
 public:
  // 0: no lines with rates.
  explicit LiveReport(Nanos every) : every_(every) {}
  // About once a second.
  void look(const Statistics&);
  // What ports warn of, when it is new; looks every minute.
  void warnings(const std::vector<std::unique_ptr<live::Port>>&, Nanos uptime);
  // "1234 packets/s, 0 lost, 57 flows": for the service manager.
  const std::string& status() const { return status_; }

 private:
  // Once a reason has been told it is told again after so long, with what came meanwhile.
  static constexpr Nanos kQuiet = 60 * kSecond;
  struct Loss {
    std::uint64_t seen = 0, told = 0;
    Nanos told_at = 0;
  };
  void losses(const Statistics&);
  void loss(const std::string& reason, std::string_view meaning, std::uint64_t n, Nanos now);
  void links(const Statistics&);
  void shedding(const Statistics&);
  void rates(const Statistics&);

  const Nanos every_;
  std::map<std::string, Loss> losses_;
  std::map<std::string, bool> links_;
  std::map<std::string, std::uint32_t> levels_;  // of workers
  std::map<std::string, std::string> troubles_;  // of targets
  std::set<std::string> warned_;
  Nanos warned_at_ = -kQuiet;
  std::string status_;
  Nanos rated_ = 0;
  std::uint64_t packets_ = 0, octets_ = 0, records_ = 0, lost_ = 0;  // when rates were told last
};

}  // namespace probe::run
