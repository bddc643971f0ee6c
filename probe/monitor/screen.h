// A snapshot as lines for a terminal.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace probe::monitor {

// At most `width` columns (80 show everything) and `height` lines; 0: as many as there are. Plain text.
std::string screen_of(const nlohmann::ordered_json& snapshot, std::size_t width, std::size_t height);

}  // namespace probe::monitor
