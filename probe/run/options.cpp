#include "probe/run/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace probe::run {
namespace {

constexpr OptionInfo kOptions[] = {
#define SECTION(name, meaning)
#define OPTION(section, key, type, default_value, least, most, unit, meaning) \
  {#section, #key, unit, meaning, least, most, OptionMember(&Options::section##_##key)},
#include "probe/run/options.inc"
#undef OPTION
#undef SECTION
};

constexpr SectionInfo kSections[] = {
#define SECTION(name, meaning) {#name, meaning},
#define OPTION(...)
#include "probe/run/options.inc"
#undef OPTION
#undef SECTION
};

struct Unit {
  std::string_view name;
  Nanos length;
};
constexpr Unit kUnits[] = {{"ns", 1},      {"us", kMicrosecond}, {"ms", kMillisecond},
                           {"s", kSecond}, {"m", 60 * kSecond},  {"h", 3600 * kSecond}};

std::string quoted(std::string_view s) {
  std::string out = "\"";
  for (const char c : s) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
  return out;
}

std::string range_of(const OptionInfo& o) {
  if (std::holds_alternative<std::uint64_t Options::*>(o.member)) return fmt::format("{} to {}", o.least, o.most);
  if (std::holds_alternative<Nanos Options::*>(o.member))
    return fmt::format("{} to {}", format_duration(o.least), format_duration(o.most));
  return "";
}

// Lines of at most 100 columns, each behind "# ".
std::string as_comment(std::string_view text) {
  std::string out, line = "#";
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (line.size() + end + 1 > 100) {
      out += fmt::format("{}\n", line);
      line.assign(1, '#');
    }
    line += ' ';
    line += text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return fmt::format("{}{}\n", out, line);
}

}  // namespace

std::string OptionInfo::name() const { return fmt::format("{}.{}", section, key); }

std::span<const OptionInfo> option_table() { return kOptions; }
std::span<const SectionInfo> section_table() { return kSections; }

const OptionInfo* find_option(std::string_view name) {
  const auto it = std::ranges::find_if(kOptions, [name](const OptionInfo& o) { return o.name() == name; });
  return it == std::end(kOptions) ? nullptr : it;
}

std::string to_toml(const Options& options, const OptionInfo& info) {
  struct Writer {
    const Options& o;
    std::string operator()(bool Options::*m) const { return o.*m ? "true" : "false"; }
    std::string operator()(std::uint64_t Options::*m) const { return std::to_string(o.*m); }
    std::string operator()(Nanos Options::*m) const { return quoted(format_duration(o.*m)); }
    std::string operator()(std::string Options::*m) const { return quoted(o.*m); }
    std::string operator()(std::vector<std::string> Options::*m) const {
      std::vector<std::string> texts;
      for (const std::string& s : o.*m) texts.push_back(quoted(s));
      return fmt::format("[{}]", fmt::join(texts, ", "));
    }
  };
  return std::visit(Writer{options}, info.member);
}

bool parse_duration(std::string_view text, Nanos& out) {
  Nanos number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return false;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  const auto it = std::ranges::find(kUnits, unit, &Unit::name);
  return it != std::end(kUnits) && !__builtin_mul_overflow(number, it->length, &out);
}

std::string format_duration(Nanos n) {
  if (n == 0) return "0s";
  const Unit* largest = std::begin(kUnits);
  for (const Unit& u : kUnits)
    if (n % u.length == 0) largest = &u;
  return fmt::format("{}{}", n / largest->length, largest->name);
}

std::string options_as_toml() {
  const Options defaults;
  std::string out = "# augprobe: every key with its default value. Made by `augprobe options`.\n";
  for (const SectionInfo& s : kSections) {
    out += fmt::format("\n{}[{}]\n", as_comment(s.meaning), s.name);
    for (const OptionInfo& o : kOptions) {
      if (o.section != s.name) continue;
      std::string about(o.meaning);
      if (!o.unit.empty()) about += fmt::format(" Unit: {}.", o.unit);
      if (const std::string range = range_of(o); !range.empty()) about += fmt::format(" Range: {}.", range);
      out += fmt::format("\n{}{} = {}\n", as_comment(about), o.key, to_toml(defaults, o));
    }
  }
  return out;
}

std::string options_as_markdown() {
  const Options defaults;
  std::string out =
      "# Options\n\nMade by `augprobe options --format markdown`; do not edit.\n"
      "In a file they stand under their section; on the command line: `--set section.key=value`.\n";
  for (const SectionInfo& s : kSections) {
    out += fmt::format("\n## {}\n\n{}\n\n| key | default | range | unit | meaning |\n|---|---|---|---|---|\n", s.name,
                       s.meaning);
    for (const OptionInfo& o : kOptions)
      if (o.section == s.name)
        out += fmt::format("| `{}` | `{}` | {} | {} | {} |\n", o.key, to_toml(defaults, o), range_of(o), o.unit,
                           o.meaning);
  }
  return out;
}

}  // namespace probe::run
