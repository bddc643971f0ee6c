// The captures by which every dissector is judged: pcaps/NAME.pcap and pcaps/NAME_WHAT.pcap are those of dissector
// NAME.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <ostream>
#include <string>
#include <vector>

#include "probe/pipeline/registry.h"
#include "tests/kit/capture_traffic.h"

namespace probe::test {

// Meson sets AUGPROBE_PCAPS.
inline const std::vector<CapturedTraffic>& all_captures() {
  static const std::vector<CapturedTraffic> all = [] {
    const char* folder = std::getenv("AUGPROBE_PCAPS");
    return captures_in(folder ? folder : "pcaps");
  }();
  return all;
}

inline bool is_capture_of(const std::string& capture, const Dissector& d) {
  const std::string name(d.name);
  return capture == name || capture.starts_with(name + "_");
}

// What its captures have of a dissector, in flows that do not take a test too long.
inline std::vector<Traffic> flows_of(const Dissector& d, std::size_t most_packets = 400, std::size_t most_flows = 40) {
  std::vector<Traffic> out;
  for (const CapturedTraffic& c : all_captures()) {
    if (!is_capture_of(c.capture, d)) continue;
    std::size_t taken = 0;
    for (const Traffic& t : c.flows) {
      if (t.packets.size() > most_packets || taken >= most_flows) continue;
      out.push_back(t);
      ++taken;
    }
  }
  return out;
}

struct EveryDissector : testing::TestWithParam<const Dissector*> {
  ~EveryDissector() override { EXPECT_EQ(player.in_use(), 0u) << "something was not given back"; }
  const Dissector& dissector() const { return *GetParam(); }
  Player player;
};

inline std::string name_of(const testing::TestParamInfo<const Dissector*>& i) { return std::string(i.param->name); }

}  // namespace probe::test

// GoogleTest prints parameters.
namespace probe {
inline void PrintTo(const Dissector* d, std::ostream* out) { *out << d->name; }
}  // namespace probe
