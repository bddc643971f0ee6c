#include "exporter/tools/elements.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "exporter/schema/schema.h"

namespace probe {
namespace {

std::string_view type_name(const schema::Element& e) {  // RFC 7012 §3.1
  switch (e.shape.type) {
    case schema::Type::u8:
      return "unsigned8";
    case schema::Type::u16:
      return "unsigned16";
    case schema::Type::u32:
      return "unsigned32";
    case schema::Type::u64:
      return "unsigned64";
    case schema::Type::ipv4:
      return "ipv4Address";
    case schema::Type::ipv6:
      return "ipv6Address";
    case schema::Type::mac:
      return "macAddress";
    case schema::Type::octets3:
      return "octetArray";
    case schema::Type::f64:
      return "float64";
    case schema::Type::milliseconds:
      return "dateTimeMilliseconds";
    case schema::Type::microseconds:
      return "dateTimeMicroseconds";
    case schema::Type::text:
      return "string";
  }
  return "";
}

std::string_view units_name(const schema::Element& e) {
  switch (e.shape.units) {
    case schema::Units::none:
      return "";
    case schema::Units::octets:
      return "octets";
    case schema::Units::packets:
      return "packets";
    case schema::Units::microseconds:
      return "microseconds";
    case schema::Units::milliseconds:
      return "milliseconds";
    case schema::Units::hops:
      return "hops";
  }
  return "";
}

// Lengths as they are on the wire: fixed octets, or the most that a text is cut to.
std::string length_of(const schema::Element& e) {
  return e.is_text() ? fmt::format("<= {}", e.shape.limit) : std::to_string(schema::width(e.shape.type));
}

std::string markdown() {
  std::string out =
      "# Information elements\n\nMade by `augprobe elements --format markdown`; do not edit.\n\n"
      "PEN 0 is IANA, 29305 the reverse of IANA's (RFC 5103), 32473 stands for the configured enterprise number\n"
      "(`export.enterprise_number`); the reverse of an own element has its id with bit 0x4000 set.\n\n"
      "Elements that come and go together form a group. A wire template is made for each set of groups that occurs, "
      "with\n"
      "at most 60 fields: what was not measured is not in the record. An empty text is the same as an absent one.\n";
  for (const schema::Kind& k : schema::kKinds) {
    out += fmt::format(
        "\n## {}\n\n{}\n\n| group | element | PEN | id | type | octets | unit | meaning "
        "|\n|---|---|---|---|---|---|---|---|\n",
        k.name, k.meaning);
    k.groups.for_each([&](std::size_t g) {
      for (const schema::Element& e : schema::kElements)
        if (e.group == schema::Group(g) && !schema::is_internal(e.group))
          out += fmt::format("| {} | `{}` | {} | {} | {} | {} | {} | {} |\n", schema::kGroups[g].name, e.name(), e.pen,
                             e.id, type_name(e), length_of(e), units_name(e), e.meaning);
    });
  }
  out += "\n## Groups\n\n| group | meaning |\n|---|---|\n";
  for (const schema::GroupInfo& g : schema::kGroups) out += fmt::format("| {} | {} |\n", g.name, g.meaning);
  return out;
}

std::string csv() {
  std::string out = "name,pen,id,type,length,units,group,meaning\n";
  for (const schema::Element& e : schema::kElements)
    if (!schema::is_internal(e.group))
      out += fmt::format("{},{},{},{},{},{},{},\"{}\"\n", e.name(), e.pen, e.id, type_name(e),
                         e.is_text() ? e.shape.limit : schema::width(e.shape.type), units_name(e),
                         schema::kGroups[static_cast<std::size_t>(e.group)].name, e.meaning);
  return out;
}

std::string json() {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const schema::Element& e : schema::kElements)
    if (!schema::is_internal(e.group))
      out.push_back({{"name", e.name()},
                     {"pen", e.pen},
                     {"id", e.id},
                     {"type", type_name(e)},
                     {"length", e.is_text() ? e.shape.limit : schema::width(e.shape.type)},
                     {"variable", e.is_text()},
                     {"units", units_name(e)},
                     {"reverse", e.reverse},
                     {"group", schema::kGroups[static_cast<std::size_t>(e.group)].name},
                     {"meaning", e.meaning}});
  return out.dump(1) + "\n";
}

}  // namespace

std::vector<std::string> element_formats() { return {"markdown", "csv", "json"}; }

std::string elements_as(std::string_view format) {
  if (format == "markdown") return markdown();
  if (format == "csv") return csv();
  if (format == "json") return json();
  throw std::runtime_error(
      fmt::format("there is no format {}; there are {}", format, fmt::join(element_formats(), ", ")));
}

}  // namespace probe
