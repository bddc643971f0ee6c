#include "dissectors/kit/dns_service.h"

#include <iterator>
#include <string_view>

#include "dissectors/kit/ip_text.h"

namespace probe::dns {

namespace {

constexpr std::string_view kKeys[] = {"mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint"};
enum Key : std::uint16_t { mandatory, alpn, no_default_alpn, port, ipv4hint, ech, ipv6hint };

void write_key(std::uint16_t key, TextWriter& out) {
  if (key < std::size(kKeys)) return out.put(kKeys[key]);
  out.put("key");
  out.number(key);
}

void write_protocol(Bytes id, TextWriter& out) {
  for (const std::uint8_t c : id) {
    if (c > 0x20 && c < 0x7f && c != '"' && c != '\\' && c != ',')
      out.put(static_cast<char>(c));
    else
      out.decimal_escape(c);
  }
}

// Items of a list, with commas between them. False if the value does not consist of such items.
bool write_item(std::uint16_t key, Cursor& value, TextWriter& out) {
  switch (key) {
    case mandatory:
      write_key(value.u16(), out);
      break;
    case alpn:
      write_protocol(value.take(value.u8()), out);
      break;
    case port:
      out.number(value.u16());
      break;
    case ipv4hint: {
      const Bytes b = value.take(4);
      if (value.ok()) write_ipv4(b.first<4>(), out);
      break;
    }
    case ipv6hint: {
      const Bytes b = value.take(16);
      if (value.ok()) write_ipv6(b.first<16>(), out);
      break;
    }
    default:
      for (const std::uint8_t octet : value.take(value.left())) out.hex(octet);
      break;
  }
  return value.ok();
}

}  // namespace

bool write_service_parameters(Cursor& c, TextWriter& out) {
  for (bool first = true; c.left() > 0 && !out.cut(); first = false) {
    const std::uint16_t key = c.u16();
    Cursor value = c.sub(c.u16());
    if (!c.ok()) return false;
    if (!first) out.put(' ');
    write_key(key, out);
    if (value.left() == 0) continue;
    // Quoted, since its commas are not those between answers.
    const bool list = key == mandatory || key == alpn || key == ipv4hint || key == ipv6hint;
    out.put(list ? std::string_view("=\"") : std::string_view("="));
    for (bool first_item = true; value.left() > 0; first_item = false) {
      if (!first_item) out.put(',');
      if (!write_item(key, value, out)) return false;
    }
    if (list) out.put('"');
  }
  return true;
}

}  // namespace probe::dns
