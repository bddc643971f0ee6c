// "Did you mean": the known name that looks most like a mistyped one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace probe::run {

// "; did you mean NAME?", or "; there are NAME, NAME …" if none is near.
std::string did_you_mean(std::string_view name, std::span<const std::string_view> names);

}  // namespace probe::run
