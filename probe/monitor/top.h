// `augprobe top`: asks a running probe each second and shows what it says.
#pragma once

#include <string>

namespace probe::monitor {

inline constexpr const char* kSocketOfTheService = "/run/augprobe/statistics";

struct TopRequest {
  std::string socket = kSocketOfTheService;
  bool once = false;  // one screen or object with the rates of a second, then the end
  bool json = false;  // a line of JSON instead of a screen
};
// Exit code 0. Throws std::runtime_error with a sentence if there is no probe, or if it went away.
int top(const TopRequest&);

}  // namespace probe::monitor
