// The real system calls.
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <unistd.h>

#include <cstring>

#include "probe/doctor/machine.h"

namespace probe::doctor {
namespace {

// A request of ethtool(8) to an interface; false if there is no such interface or its driver does not know it.
template <class Request>
bool ethtool(const std::string& interface, Request& request) {
  ifreq ifr{};
  if (interface.empty() || interface.size() >= sizeof ifr.ifr_name) return false;
  std::memcpy(ifr.ifr_name, interface.data(), interface.size());
  ifr.ifr_data = reinterpret_cast<char*>(&request);
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool good = ioctl(fd, SIOCETHTOOL, &ifr) == 0;
  close(fd);
  return good;
}

struct Offload {
  std::uint32_t get;
  std::uint32_t flag;  // 0: the value is a truth of its own
  const char* name;
};
constexpr Offload kOffloads[] = {{ETHTOOL_GGRO, 0, "gro"},
                                 {ETHTOOL_GFLAGS, ETH_FLAG_LRO, "lro"},
                                 {ETHTOOL_GTSO, 0, "tso"},
                                 {ETHTOOL_GGSO, 0, "gso"}};

class SystemCalls final : public Calls {
 public:
  std::optional<Rings> rings(const std::string& interface) const override {
    ethtool_ringparam p{};
    p.cmd = ETHTOOL_GRINGPARAM;
    if (!ethtool(interface, p)) return std::nullopt;
    return Rings{p.rx_pending, p.rx_max_pending};
  }
  std::optional<std::vector<std::string>> offloads(const std::string& interface) const override {
    if (if_nametoindex(interface.c_str()) == 0) return std::nullopt;
    std::vector<std::string> on;
    for (const Offload& o : kOffloads) {
      ethtool_value v{};
      v.cmd = o.get;
      if (ethtool(interface, v) && (o.flag == 0 ? v.data : v.data & o.flag) != 0) on.emplace_back(o.name);
    }
    return on;
  }
  std::optional<ClockState> clock() const override {
    timex t{};
    if (adjtimex(&t) < 0) return std::nullopt;
    return ClockState{(t.status & STA_UNSYNC) == 0, static_cast<std::uint64_t>(t.maxerror < 0 ? 0 : t.maxerror)};
  }
};

}  // namespace

const Calls& system_calls() {
  static const SystemCalls calls;
  return calls;
}

}  // namespace probe::doctor
