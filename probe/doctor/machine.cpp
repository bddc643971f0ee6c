#include "probe/doctor/machine.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>

namespace probe::doctor {
namespace {

constexpr unsigned kMostCpus = 8192;  // NR_CPUS of any kernel

template <class T>
std::optional<T> parse(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::string> Machine::text(std::string_view path) const {
  std::ifstream in(root_ / path);
  std::ostringstream out;
  // An empty file sets failbit of `out`: it is there all the same.
  if (!in || (!(out << in.rdbuf()) && in.bad())) return std::nullopt;
  std::string text = out.str();
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

std::optional<std::int64_t> Machine::number(std::string_view path) const {
  const std::optional<std::string> t = text(path);
  return t ? parse<std::int64_t>(*t) : std::nullopt;
}

std::vector<std::string> Machine::names(std::string_view folder) const {
  std::vector<std::string> out;
  std::error_code error;
  for (std::filesystem::directory_iterator it(root_ / folder, error), end; !error && it != end; it.increment(error))
    out.push_back(it->path().filename());
  std::ranges::sort(out);
  return out;
}

std::optional<std::string> Machine::link_name(std::string_view link) const {
  std::error_code error;
  const std::filesystem::path to = std::filesystem::read_symlink(root_ / link, error);
  if (error) return std::nullopt;
  return to.filename().string();
}

bool Machine::exists(std::string_view path) const {
  std::error_code error;
  return std::filesystem::exists(root_ / path, error);
}

std::optional<std::uint64_t> value_of(std::string_view text, std::string_view name) {
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name) || line.substr(name.size(), 1) != ":") continue;
    std::uint64_t value = 0;
    std::istringstream rest(line.substr(name.size() + 1));
    if (rest >> value) return value;
  }
  return std::nullopt;
}

std::vector<unsigned> cpu_list(std::string_view text) {
  std::vector<unsigned> out;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = text.substr(0, comma);
    const std::size_t dash = std::min(part.find('-'), part.size());
    const auto first = parse<unsigned>(part.substr(0, dash));
    const auto last = dash < part.size() ? parse<unsigned>(part.substr(dash + 1)) : first;
    if (!first || !last || *last >= kMostCpus) return {};
    for (unsigned cpu = *first; cpu <= *last; ++cpu) out.push_back(cpu);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

std::string as_cpu_list(std::vector<unsigned> cpus) {
  std::ranges::sort(cpus);
  std::string out;
  for (std::size_t i = 0; i < cpus.size();) {
    std::size_t end = i + 1;
    while (end < cpus.size() && cpus[end] == cpus[end - 1] + 1) ++end;
    if (!out.empty()) out += ',';
    out += end - i == 1 ? fmt::format("{}", cpus[i]) : fmt::format("{}-{}", cpus[i], cpus[end - 1]);
    i = end;
  }
  return out;
}

}  // namespace probe::doctor
