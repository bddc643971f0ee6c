// The log of a running probe: one line an event, as key=value, on standard error.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace probe::run {

// Not for the packet path.
enum class LogLevel : std::uint8_t { error = 3, warning = 4, info = 6 };  // syslog's numbers

// Log(LogLevel::info, "started").with("workers", 2): written when it goes out of scope. The journal stamps lines itself
// and is told the level; elsewhere both are in the line.
class Log {
 public:
  Log(LogLevel, std::string_view event);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Numbers and texts; a text is quoted if it has to be.
  template <class T>
  Log& with(std::string_view key, const T& value) {
    return text(key, fmt::format("{}", value));
  }

 private:
  Log& text(std::string_view key, std::string_view value);
  std::string line_;
};

}  // namespace probe::run
