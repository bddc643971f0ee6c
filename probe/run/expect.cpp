#include "probe/run/expect.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "exporter/schema/schema.h"
#include "exporter/text/json_lines.h"

namespace probe::run {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kEndpoints[] = {
    "protocolIdentifier",     "sourceIPv4Address",   "destinationIPv4Address",  "sourceIPv6Address",
    "destinationIPv6Address", "sourceTransportPort", "destinationTransportPort"};

// Kind and endpoints: what must be equal for two records to be about the same thing.
std::string identity(const Json& j) {
  std::string id = j.value("record", "");
  for (const std::string_view e : kEndpoints)
    if (const auto it = j.find(std::string(e)); it != j.end())
      id += fmt::format(" {}", it->is_string() ? it->get<std::string>() : it->dump());
  return id;
}

// Order in time among those with the same identity.
auto moment(const Json& j) {
  const auto number = [&](const char* name) {
    return j.contains(name) && j[name].is_number() ? j[name].get<std::int64_t>() : 0;
  };
  return std::tuple(number("transactionStartMicroseconds"), number("transactionId"), number("flowStartMicroseconds"),
                    number("flowStartMilliseconds"));
}

bool is_duration(const schema::Element& e) { return e.shape.units == schema::Units::microseconds; }
bool is_time(const schema::Element& e) {
  return e.shape.type == schema::Type::milliseconds || e.shape.type == schema::Type::microseconds;
}

bool agree(const std::string& name, const Json& expected, const Json& got) {
  if (expected == got) return true;
  const std::size_t i = schema::find_element(name);
  if (i == schema::kNone || !expected.is_number() || !got.is_number()) return false;
  const double a = expected.get<double>(), b = got.get<double>();
  if (is_time(schema::kElements[i])) return std::abs(a - b) <= 1;
  return is_duration(schema::kElements[i]) && std::abs(a - b) <= std::max(1.0, 0.001 * std::abs(a));
}

// "name: expected 5, got 6" for each element that is not as expected.
std::vector<std::string> differences(const Json& expected, const Json& got) {
  std::vector<std::string> out;
  for (const auto& [name, value] : expected.items()) {
    if (name == "flowId") continue;
    if (!got.contains(name))
      out.push_back(fmt::format("{}: expected {}, is absent", name, value.dump()));
    else if (!agree(name, value, got[name]))
      out.push_back(fmt::format("{}: expected {}, got {}", name, value.dump(), got[name].dump()));
  }
  for (const auto& [name, value] : got.items())
    if (!expected.contains(name)) out.push_back(fmt::format("{}: not expected, got {}", name, value.dump()));
  return out;
}

struct Pair {
  std::vector<Json> expected, got;
};

}  // namespace

struct Expectation::Inside {
  std::string path;
  std::map<std::string, Pair> pairs;
  std::string line;
};

Expectation::Expectation(const std::string& path) : inside_(std::make_unique<Inside>()) {
  inside_->path = path;
  std::ifstream in(path);
  if (!in) throw std::runtime_error(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.empty()) continue;
    Json j = Json::parse(line, nullptr, false);
    if (!j.is_object() || !j.contains("record"))
      throw std::runtime_error(
          fmt::format("{}:{}: this is no record: write one JSON object with \"record\" a line", path, number));
    inside_->pairs[identity(j)].expected.push_back(std::move(j));
  }
}

Expectation::~Expectation() = default;

void Expectation::put(const Record& r) {
  inside_->line.clear();
  append_json(r, inside_->line);
  Json j = Json::parse(inside_->line);
  inside_->pairs[identity(j)].got.push_back(std::move(j));
}

bool Expectation::report(std::FILE* out) {
  std::size_t equal = 0, different = 0, missing = 0, extra = 0;
  for (auto& [id, pair] : inside_->pairs) {
    std::ranges::stable_sort(pair.expected, {}, moment);
    std::ranges::stable_sort(pair.got, {}, moment);
    const std::size_t both = std::min(pair.expected.size(), pair.got.size());
    for (std::size_t i = 0; i < both; ++i) {
      const auto wrong = differences(pair.expected[i], pair.got[i]);
      ++(wrong.empty() ? equal : different);
      if (!wrong.empty()) fmt::print(out, "different  {} (number {})\n  {}\n", id, i + 1, fmt::join(wrong, "\n  "));
    }
    for (std::size_t i = both; i < pair.expected.size(); ++i)
      fmt::print(out, "missing    {}\n  {}\n", id, pair.expected[i].dump());
    for (std::size_t i = both; i < pair.got.size(); ++i)
      fmt::print(out, "extra      {}\n  {}\n", id, pair.got[i].dump());
    missing += pair.expected.size() - both;
    extra += pair.got.size() - both;
  }
  fmt::print(out, "{}: {} records as expected, {} different, {} missing, {} extra\n", inside_->path, equal, different,
             missing, extra);
  return different + missing + extra == 0;
}

}  // namespace probe::run
