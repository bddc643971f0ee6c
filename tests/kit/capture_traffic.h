// The flows of a capture as traffic that a Player can play.
#pragma once

#include <string>
#include <vector>

#include "tests/kit/conversation_player.h"

namespace probe::test {

// In the order of their first packets; a second TCP connection between the same ports is a flow of its own. Throws if
// the capture cannot be read to its end.
std::vector<Traffic> traffic_of(const std::string& path);

// All captures (*.pcap) of a folder, in the order of their names.
struct CapturedTraffic {
  std::string capture;  // without folder and .pcap
  std::vector<Traffic> flows;
};
std::vector<CapturedTraffic> captures_in(const std::string& folder);

}  // namespace probe::test
