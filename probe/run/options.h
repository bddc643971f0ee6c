// TABLE 2: everything that can be configured.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "exporter/schema/element.h"
#include "probe/base/nanos.h"

namespace probe::run {

namespace option_type {
using boolean = bool;
using integer = std::uint64_t;
using duration = Nanos;
using text = std::string;
using list = std::vector<std::string>;
}  // namespace option_type

// Members are named section_key.
struct Options {
#define SECTION(name, meaning)
#define OPTION(section, key, type, default_value, least, most, unit, meaning) \
  option_type::type section##_##key{default_value};
#include "probe/run/options.inc"
#undef OPTION
#undef SECTION
};

using OptionMember = std::variant<bool Options::*, std::uint64_t Options::*, Nanos Options::*, std::string Options::*,
                                  std::vector<std::string> Options::*>;

struct OptionInfo {
  std::string_view section, key, unit, meaning;
  std::int64_t least, most;  // numbers and durations
  OptionMember member;
  std::string name() const;
};
struct SectionInfo {
  std::string_view name, meaning;
};

std::span<const OptionInfo> option_table();
std::span<const SectionInfo> section_table();
// nullptr if there is none of this name (section.key).
const OptionInfo* find_option(std::string_view name);

// A value as it is written in a configuration file.
std::string to_toml(const Options&, const OptionInfo&);
// "250ms", "30s", "5m", "2h", "1us"; false if it is not a duration.
bool parse_duration(std::string_view text, Nanos& out);
std::string format_duration(Nanos);

// The whole table as a configuration file with every key explained, and as a page of documentation.
std::string options_as_toml();
std::string options_as_markdown();

}  // namespace probe::run
