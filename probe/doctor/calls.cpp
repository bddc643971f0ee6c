// The real system calls.
#include <linux/ethtool.h>
#include <net/if.h>
#include <sys/timex.h>

#include "probe/doctor/machine.h"
#include "probe/live/ethtool.h"

namespace probe::doctor {
namespace {

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
    if (!live::Ethtool(interface).ask(&p)) return std::nullopt;
    return Rings{p.rx_pending, p.rx_max_pending};
  }
  std::optional<std::vector<std::string>> offloads(const std::string& interface) const override {
    if (if_nametoindex(interface.c_str()) == 0) return std::nullopt;
    live::Ethtool ethtool(interface);
    std::vector<std::string> on;
    for (const Offload& o : kOffloads) {
      ethtool_value v{};
      v.cmd = o.get;
      if (ethtool.ask(&v) && (o.flag == 0 ? v.data : v.data & o.flag) != 0) on.emplace_back(o.name);
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
