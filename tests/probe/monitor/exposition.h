// Reads Prometheus' text format 0.0.4 and tolerates nothing that its description does not allow.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace probe::monitor {

struct Exposition {
  std::map<std::string, std::string> types;  // of metrics
  std::map<std::string, std::string> helps;  // unescaped
  std::map<std::string, double> values;  // by metric and labels, as name{a="1",b="2"} in the order of the labels' names
  std::vector<std::string> mistakes;     // sentences with the line
};

Exposition read_exposition(std::string_view text);

}  // namespace probe::monitor
