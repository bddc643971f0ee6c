#include "tests/probe/monitor/exposition.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>

namespace probe::monitor {
namespace {

bool letter(char c, bool colon) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colon && c == ':');
}
// [a-zA-Z_:][a-zA-Z0-9_:]*; names of labels have no colon.
std::string_view take_name(std::string_view& line, bool colon) {
  std::size_t n = 0;
  while (n < line.size() && (letter(line[n], colon) || (n > 0 && line[n] >= '0' && line[n] <= '9'))) ++n;
  const std::string_view name = line.substr(0, n);
  line.remove_prefix(n);
  return name;
}
bool take(std::string_view& line, std::string_view what) {
  if (!line.starts_with(what)) return false;
  line.remove_prefix(what.size());
  return true;
}

class Reader {
 public:
  Exposition read(std::string_view text) {
    if (!text.empty() && !text.ends_with('\n')) mistake("the last line does not end");
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      line_ = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (!line_.empty()) line_.starts_with('#') ? comment(line_) : sample(line_);
    }
    return std::move(out_);
  }

 private:
  void mistake(std::string_view what) { out_.mistakes.push_back(fmt::format("{}: {}", what, line_)); }

  // "All lines for a given metric must be provided as one single group".
  void belongs_to(const std::string& metric) {
    if (metric == current_) return;
    if (!seen_.insert(metric).second) mistake("the lines of a metric are not together");
    current_ = metric;
  }

  void comment(std::string_view rest) {
    const bool help = take(rest, "# HELP ");
    if (!help && !take(rest, "# TYPE ")) return mistake("a comment that is neither HELP nor TYPE");
    const std::string name(take_name(rest, true));
    if (name.empty() || !take(rest, " ")) return mistake("no name");
    belongs_to(name);
    if (help) {
      std::string what;
      if (!unescape(rest, "\\n", what)) mistake("a wrong escape");
      if (!out_.helps.emplace(name, what).second) mistake("a second HELP");
      return;
    }
    if (rest != "counter" && rest != "gauge") mistake("a type that the probe does not have");
    if (sampled_.contains(name)) mistake("TYPE behind a sample");
    if (!out_.types.emplace(name, rest).second) mistake("a second TYPE");
  }

  // `allowed`: what may follow a backslash.
  static bool unescape(std::string_view text, std::string_view allowed, std::string& out) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '\\') {
        out += text[i];
        continue;
      }
      if (++i == text.size() || allowed.find(text[i]) == allowed.npos) return false;
      out += text[i] == 'n' ? '\n' : text[i];
    }
    return true;
  }

  std::optional<std::map<std::string, std::string>> labels(std::string_view& rest) {
    std::map<std::string, std::string> all;
    if (!take(rest, "{")) return all;
    while (!take(rest, "}")) {
      const std::string name(take_name(rest, false));
      if (name.empty() || name.starts_with("__") || !take(rest, "=\"")) return std::nullopt;
      std::size_t end = 0;
      while (end < rest.size() && rest[end] != '"') end += rest[end] == '\\' ? 2 : 1;
      if (end >= rest.size()) return std::nullopt;
      std::string value;
      if (!unescape(rest.substr(0, end), "\\n\"", value) || !all.emplace(name, value).second) return std::nullopt;
      rest.remove_prefix(end + 1);
      if (!take(rest, ",") && !rest.starts_with('}')) return std::nullopt;
    }
    return all;
  }

  void sample(std::string_view rest) {
    const std::string name(take_name(rest, true));
    belongs_to(name);
    sampled_.insert(name);
    const auto of = labels(rest);
    if (name.empty() || !of || !take(rest, " ")) return mistake("no sample");
    double value = 0;  // Go's ParseFloat; what is not finite the probe does not have
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
    if (error != std::errc() || !std::isfinite(value) || end != rest.data() + rest.size())
      return mistake("no number, or something behind it");
    if (!out_.types.contains(name)) mistake("a sample without TYPE");
    if (!out_.helps.contains(name)) mistake("a sample without HELP");
    if (out_.types[name] == "counter" && (value < 0 || !name.ends_with("_total"))) mistake("no such counter can be");
    std::string key = name;
    for (const auto& [label, text] : *of) key += fmt::format("{}{}=\"{}\"", key == name ? "{" : ",", label, text);
    if (!of->empty()) key += '}';
    if (!out_.values.emplace(key, value).second) mistake("a second value");
  }

  Exposition out_;
  std::string_view line_;
  std::string current_;
  std::set<std::string> seen_, sampled_;
};

}  // namespace

Exposition read_exposition(std::string_view text) { return Reader().read(text); }

}  // namespace probe::monitor
