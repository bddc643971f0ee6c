// The element table for readers and for other programs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace probe {

std::vector<std::string> element_formats();
// "markdown", "csv" or "json". Throws std::runtime_error if there is no such format.
std::string elements_as(std::string_view format);

}  // namespace probe
