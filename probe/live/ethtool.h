// What ethtool(8) asks the driver of an interface.
#pragma once

#include <net/if.h>

#include <string>

namespace probe::live {

class Ethtool {
 public:
  explicit Ethtool(const std::string& interface);
  ~Ethtool();
  Ethtool(const Ethtool&) = delete;
  Ethtool& operator=(const Ethtool&) = delete;

  // `command`: a structure of linux/ethtool.h with its `cmd`, where the answer is put. False if there is no such
  // interface or its driver does not know it.
  bool ask(void* command);

 private:
  const int socket_;
  ifreq request_{};
};

}  // namespace probe::live
