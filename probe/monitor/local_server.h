// Answers about the running probe over a local socket: a line in, a line of JSON out.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "exporter/transport/address.h"
#include "probe/monitor/ranks.h"
#include "probe/run/statistics.h"

namespace probe::monitor {

inline constexpr const char* kRequest = "statistics\n";

// A thread of its own, few clients, bounded memory. Whoever may open the socket (owner and group) may ask.
class LocalServer {
 public:
  static constexpr std::size_t kClients = 8;
  // `source` and `ranking` must outlive it. Throws std::runtime_error with a sentence, also if another probe answers
  // there.
  LocalServer(const std::string& path, run::StatisticsSource& source, const RankingSink& ranking);
  ~LocalServer();
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

 private:
  struct Client;
  void loop();
  void take_clients();
  bool serve(Client&);  // false: it is gone
  std::string answer(Client&, const std::string& line);

  std::string path_;
  run::StatisticsSource& source_;
  const RankingSink& ranking_;
  Descriptor listener_, wake_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::thread thread_;
};

}  // namespace probe::monitor
