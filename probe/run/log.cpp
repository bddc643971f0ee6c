#include "probe/run/log.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

namespace probe::run {
namespace {

std::string_view name_of(LogLevel l) {
  switch (l) {
    case LogLevel::error:
      return "error";
    case LogLevel::warning:
      return "warning";
    case LogLevel::info:
      break;
  }
  return "info";
}

std::string now() {
  timespec t{};
  clock_gettime(CLOCK_REALTIME, &t);
  tm utc{};
  gmtime_r(&t.tv_sec, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, t.tv_nsec / 1'000'000);
}

bool plain(std::string_view s) {
  return !s.empty() &&
         std::ranges::none_of(s, [](unsigned char c) { return c <= ' ' || c == '"' || c == '=' || c == 0x7f; });
}

// Whatever is in it, a value stays in its line.
std::string quoted(std::string_view s) {
  std::string out = "\"";
  for (const char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return out + '"';
}

}  // namespace

Log::Log(LogLevel level, std::string_view event) {
  static const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;  // systemd.exec(5)
  if (journal)
    line_ = fmt::format("<{}>", static_cast<int>(level));
  else
    line_ = fmt::format("{} level={} ", now(), name_of(level));
  line_ += "event=";
  line_ += plain(event) ? std::string(event) : quoted(event);
}

Log& Log::text(std::string_view key, std::string_view value) {
  line_ += fmt::format(" {}={}", key, plain(value) ? std::string(value) : quoted(value));
  return *this;
}

Log::~Log() {
  line_ += '\n';
  std::string_view rest = line_;
  while (!rest.empty()) {  // one write a line, so that lines of several processes do not mix
    const ssize_t n = write(STDERR_FILENO, rest.data(), rest.size());
    if (n <= 0) break;  // there is nowhere to complain
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace probe::run
