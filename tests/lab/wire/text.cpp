#include "tests/lab/wire/text.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace probe::lab {
namespace {

struct Quantity {
  double value;
  std::string_view unit;
};

Quantity parse_quantity(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value < 0) fail("bad number '" + std::string(text) + "'");
  return {value, text.substr(static_cast<std::size_t>(end - text.data()))};
}

}  // namespace

void fail(const std::string& what) { throw std::runtime_error(what); }
void fail_errno(const std::string& what) { fail(what + ": " + std::strerror(errno)); }

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::vector<KeyValue> parse_key_values(std::string_view text) {
  std::vector<KeyValue> out;
  for (const auto part : split(text, ',')) {
    if (part.empty()) continue;
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) fail("expected key=value in '" + std::string(part) + "'");
    out.push_back({part.substr(0, equals), part.substr(equals + 1)});
  }
  return out;
}

double parse_number(std::string_view text) {
  const auto [value, unit] = parse_quantity(text);
  if (!unit.empty()) fail("bad number '" + std::string(text) + "'");
  return value;
}

Nanos parse_time(std::string_view text) {
  const auto [value, unit] = parse_quantity(text);
  if (unit == "s") return static_cast<Nanos>(value * static_cast<double>(kSecond));
  if (unit == "ms") return static_cast<Nanos>(value * static_cast<double>(kMillisecond));
  if (unit == "us") return static_cast<Nanos>(value * static_cast<double>(kMicrosecond));
  if (unit == "ns") return static_cast<Nanos>(value);
  fail("time needs a unit (s, ms, us, ns): '" + std::string(text) + "'");
}

double parse_probability(std::string_view text) {
  const auto [value, unit] = parse_quantity(text);
  const double p = unit == "%" ? value / 100 : value;
  if ((!unit.empty() && unit != "%") || p > 1) fail("bad probability '" + std::string(text) + "'");
  return p;
}

double parse_rate(std::string_view text) {
  const auto [value, unit] = parse_quantity(text);
  if (unit == "bit") return value;
  if (unit == "kbit") return value * 1e3;
  if (unit == "mbit") return value * 1e6;
  if (unit == "gbit") return value * 1e9;
  fail("rate needs a unit (bit, kbit, mbit, gbit): '" + std::string(text) + "'");
}

}  // namespace probe::lab
