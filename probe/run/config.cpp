#include "probe/run/config.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "exporter/transport/url.h"
#include "probe/doctor/machine.h"
#include "probe/live/filter.h"
#include "probe/pipeline/registry.h"
#include "probe/run/live_ports.h"
#include "probe/run/nearest.h"
#include "probe/run/port_name.h"

namespace probe::run {
namespace {

std::string_view kind_of(const toml::node& n) {
  if (n.is_boolean()) return "true or false";
  if (n.is_integer()) return "a whole number";
  if (n.is_floating_point()) return "a number with a fraction";
  if (n.is_string()) return "a text";
  if (n.is_array()) return "a list";
  if (n.is_table()) return "a table";
  return "a date or time";
}

// Puts one value into its option, or says what is wrong with it.
struct Assign {
  Options& options;
  const OptionInfo& info;
  const toml::node& node;

  std::string expected(std::string_view what, std::string_view example) const {
    return fmt::format("{} wants {}, and this is {}: write for example {} = {}", info.name(), what, kind_of(node),
                       info.key, example);
  }
  std::string operator()(bool Options::*m) const {
    const auto v = node.value_exact<bool>();
    if (!v) return expected("true or false", "true");
    options.*m = *v;
    return "";
  }
  std::string operator()(std::uint64_t Options::*m) const {
    const auto v = node.value_exact<std::int64_t>();
    if (!v) return expected("a whole number", to_toml(Options(), info));
    if (*v < info.least || *v > info.most)
      return fmt::format("{} = {} is out of range: choose {} to {}", info.name(), *v, info.least, info.most);
    options.*m = static_cast<std::uint64_t>(*v);
    return "";
  }
  std::string operator()(Nanos Options::*m) const {
    const auto v = node.value_exact<std::string>();
    Nanos n = 0;
    if (!v || !parse_duration(*v, n))
      return expected("a duration with its unit (us, ms, s, m, h)", to_toml(Options(), info));
    if (n < info.least || n > info.most)
      return fmt::format("{} = \"{}\" is out of range: choose {} to {}", info.name(), *v, format_duration(info.least),
                         format_duration(info.most));
    options.*m = n;
    return "";
  }
  std::string operator()(std::string Options::*m) const {
    const auto v = node.value_exact<std::string>();
    if (!v) return expected("a text", "\"text\"");
    options.*m = *v;
    return "";
  }
  std::string operator()(std::vector<std::string> Options::*m) const {
    const toml::array* list = node.as_array();
    if (!list || !std::ranges::all_of(*list, [](const toml::node& n) { return n.is_string(); }))
      return expected("a list of texts", "[\"first\", \"second\"]");
    (options.*m).clear();
    for (const toml::node& n : *list) (options.*m).push_back(*n.value<std::string>());
    return "";
  }
};

void read_section(std::string_view section, const toml::table& table, Options& options,
                  std::vector<Mistake>& mistakes) {
  std::vector<std::string_view> keys;
  for (const OptionInfo& o : option_table())
    if (o.section == section) keys.push_back(o.key);
  for (const auto& [key, node] : table) {
    const std::size_t line = node.source().begin.line;
    const OptionInfo* info = find_option(fmt::format("{}.{}", section, key.str()));
    if (!info) {
      mistakes.push_back(
          {line, fmt::format("there is no key {} in [{}]{}", key.str(), section, did_you_mean(key.str(), keys))});
    } else if (std::string wrong = std::visit(Assign{options, *info, node}, info->member); !wrong.empty()) {
      mistakes.push_back({line, std::move(wrong)});
    }
  }
}

}  // namespace

std::vector<Mistake> read_config(std::string_view text, Options& options) {
  toml::table root;
  try {
    root = toml::parse(text);
  } catch (const toml::parse_error& e) {
    return {{e.source().begin.line, fmt::format("this is not TOML: {}", e.description())}};
  }
  std::vector<std::string_view> sections;
  for (const SectionInfo& s : section_table()) sections.push_back(s.name);
  std::vector<Mistake> mistakes;
  for (const auto& [name, node] : root) {
    const std::size_t line = node.source().begin.line;
    if (std::ranges::find(sections, name.str()) == sections.end())
      mistakes.push_back(
          {line, fmt::format("there is no section [{}]{}", name.str(), did_you_mean(name.str(), sections))});
    else if (!node.is_table())
      mistakes.push_back({line, fmt::format("{} is a section: write [{}] and its keys below", name.str(), name.str())});
    else
      read_section(name.str(), *node.as_table(), options, mistakes);
  }
  std::ranges::stable_sort(mistakes, {}, &Mistake::line);
  return mistakes;
}

std::vector<Mistake> load_config(const std::string& path, Options& options) {
  std::ifstream in(path);
  std::ostringstream text;
  if (in.peek() != std::ifstream::traits_type::eof()) text << in.rdbuf();  // to insert nothing is a failure
  if (!in.is_open() || in.bad()) return {{0, fmt::format("cannot read {}: {}", path, std::strerror(errno))}};
  return read_config(text.str(), options);
}

std::vector<Mistake> set_option(std::string_view assignment, Options& options) {
  const std::size_t equals = assignment.find('=');
  if (equals == assignment.npos) return {{0, fmt::format("--set {0} has no value: write --set {0}=VALUE", assignment)}};
  const std::string_view name = assignment.substr(0, equals), value = assignment.substr(equals + 1);
  const OptionInfo* info = find_option(name);
  if (!info) {
    std::vector<std::string> owned;
    for (const OptionInfo& o : option_table()) owned.push_back(o.name());
    return {{0, fmt::format("there is no option {}{}", name,
                            did_you_mean(name, std::vector<std::string_view>(owned.begin(), owned.end())))}};
  }
  const bool text = std::holds_alternative<Nanos Options::*>(info->member) ||
                    std::holds_alternative<std::string Options::*>(info->member);
  const std::string_view quote = text && !value.starts_with('"') ? "\"" : "";
  auto mistakes = read_config(fmt::format("[{}]\n{} = {}{}{}", info->section, info->key, quote, value, quote), options);
  for (Mistake& m : mistakes) m.line = 0;
  return mistakes;
}

std::vector<Mistake> check_options(const Options& o) {
  std::vector<Mistake> mistakes;
  std::vector<std::string_view> known;
  for (const Dissector* d : dissectors()) known.push_back(d->name);
  for (const std::string& p : o.dissect_protocols)
    if (std::ranges::find(known, p) == known.end())
      mistakes.push_back({0, fmt::format("dissect.protocols: there is no protocol {}{}", p, did_you_mean(p, known))});
  for (const std::string& t : o.export_targets) try {
      parse_url(t);
    } catch (const std::runtime_error& e) {
      mistakes.push_back({0, fmt::format("export.targets: {}", e.what())});
    }
  try {
    const live::Filter filter(o.capture_filter);
  } catch (const std::runtime_error& e) {
    mistakes.push_back({0, fmt::format("capture.filter: {}", e.what())});
  }
  for (const std::string& p : o.capture_ports) try {
      parse_port(p);
    } catch (const std::runtime_error& e) {
      mistakes.push_back({0, fmt::format("capture.ports: {}", e.what())});
    }
  if (std::ranges::find(kHugepages, o.dpdk_hugepages, &HugepageChoice::name) == std::end(kHugepages))
    mistakes.push_back(
        {0, fmt::format("dpdk.hugepages = \"{}\": write automatic, required or never", o.dpdk_hugepages)});
  const std::size_t cpus = doctor::cpu_list(o.capture_cpus).size();
  if (!o.capture_cpus.empty() && cpus == 0)
    mistakes.push_back(
        {0, fmt::format("capture.cpus = \"{}\" is no list of CPUs: write for example 2-5,8", o.capture_cpus)});
  if (cpus > 0 && cpus < o.capture_workers)
    mistakes.push_back({0, fmt::format("capture.cpus names {} CPUs for {} workers", cpus, o.capture_workers)});
  if (std::max(o.flow_idle_timeout, o.flow_udp_idle_timeout) > o.flow_active_timeout)
    mistakes.push_back({0, "an idle timeout is longer than flow.active_timeout: make it at most as long"});
  return mistakes;
}

}  // namespace probe::run
