#include "dissectors/kit/dns_rdata.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "dissectors/kit/dns_name.h"
#include "dissectors/kit/dns_service.h"
#include "dissectors/kit/ip_text.h"

namespace probe::dns {

namespace {

// What a type's data consists of, a letter a field; data behind the last field is left out.
//   4 6    IPv4, IPv6 address          n      name
//   b h w  number of 8, 16, 32 bits    t      number of a type, as its name
//   s S    a string, strings to the end, quoted
//   u q    a string without quotes; the rest as one string
//   x      the rest in hexadecimal     v      service parameters (RFC 9460)
struct Shape {
  std::uint16_t type;
  std::string_view name, fields;
};
constexpr Shape kShapes[] = {
    {1, "A", "4"},
    {2, "NS", "n"},
    {5, "CNAME", "n"},
    {6, "SOA", "nnwwwww"},
    {12, "PTR", "n"},
    {13, "HINFO", "ss"},
    {15, "MX", "hn"},
    {16, "TXT", "S"},
    {17, "RP", "nn"},
    {18, "AFSDB", "hn"},
    {28, "AAAA", "6"},
    {33, "SRV", "hhhn"},
    {35, "NAPTR", "hhsssn"},
    {39, "DNAME", "n"},
    {43, "DS", "hbbx"},
    {44, "SSHFP", "bbx"},
    {46, "RRSIG", "tbbwwwhn"},
    {47, "NSEC", "n"},
    {48, "DNSKEY", "hbb"},
    {51, "NSEC3PARAM", "bbh"},
    {52, "TLSA", "bbbx"},
    {59, "CDS", "hbbx"},
    {60, "CDNSKEY", "hbb"},
    {64, "SVCB", "hnv"},
    {65, "HTTPS", "hnv"},
    {99, "SPF", "S"},
    {256, "URI", "hhq"},
    {257, "CAA", "buq"},
};

const Shape* shape_of(std::uint16_t type) {
  const auto* found = std::lower_bound(std::begin(kShapes), std::end(kShapes), type,
                                       [](const Shape& s, std::uint16_t t) { return s.type < t; });
  return found != std::end(kShapes) && found->type == type ? found : nullptr;
}

void write_type(std::uint16_t type, TextWriter& out) {
  if (const Shape* s = shape_of(type)) return out.put(s->name);
  out.put("TYPE");
  out.number(type);
}

// RFC 1035 §5.1: a quoted string.
void write_string(Bytes string, TextWriter& out, bool quoted) {
  if (quoted) out.put('"');
  for (const std::uint8_t c : string) {
    if (c < 0x20 || c >= 0x7f) {
      out.decimal_escape(c);
      continue;
    }
    if (c == '"' || c == '\\') out.put('\\');
    out.put(static_cast<char>(c));
  }
  if (quoted) out.put('"');
}

bool write_name(Bytes message, Cursor& c, TextWriter& out) {
  // A name may point out of the record's data, so it is read from the message up to the data's end.
  const auto end = static_cast<std::size_t>(c.rest().data() - message.data()) + c.left();
  std::size_t at = end - c.left();
  const std::size_t from = at;
  if (read_name(message.first(end), at, out) != Read::good) return false;
  c.skip(at - from);
  return true;
}

void write_address(Cursor& c, bool six, TextWriter& out) {
  const Bytes b = c.take(six ? 16 : 4);
  if (!c.ok()) return;
  if (six)
    write_ipv6(b.first<16>(), out);
  else
    write_ipv4(b.first<4>(), out);
}

// False if the data does not hold the field.
bool write_field(char field, Bytes message, Cursor& c, TextWriter& out) {
  switch (field) {
    case '4':
    case '6':
      write_address(c, field == '6', out);
      break;
    case 'n':
      return write_name(message, c, out);
    case 'b':
      out.number(c.u8());
      break;
    case 'h':
      out.number(c.u16());
      break;
    case 'w':
      out.number(c.u32());
      break;
    case 't':
      write_type(c.u16(), out);
      break;
    case 's':
    case 'u':
      write_string(c.take(c.u8()), out, field == 's');
      break;
    case 'S':
      for (bool first = true; c.ok() && c.left() > 0 && !out.cut(); first = false) {
        if (!first) out.put(' ');
        write_string(c.take(c.u8()), out, true);
      }
      break;
    case 'q':
      write_string(c.take(c.left()), out, true);
      break;
    case 'x':
      for (const std::uint8_t octet : c.take(c.left())) out.hex(octet);
      break;
    case 'v':
      return write_service_parameters(c, out);
    default:
      return false;
  }
  return c.ok();
}

bool write_shape(const Shape& shape, Bytes message, Cursor c, TextWriter& out) {
  bool first = true;
  for (const char field : shape.fields) {
    if (out.cut()) return true;
    if (!first && !(field == 'v' && c.left() == 0)) out.put(' ');
    first = false;
    if (!write_field(field, message, c, out)) return false;
  }
  return true;
}

}  // namespace

void write_rdata(Bytes message, std::size_t at, std::size_t length, std::uint16_t type, std::uint16_t klass,
                 TextWriter& out) {
  const Bytes data = message.subspan(at, length);
  const std::size_t begin = out.size();
  const Shape* shape = shape_of(type);
  constexpr std::uint16_t kInternet = 1, kFlush = 0x8000;  // RFC 6762 §10.2: the upper bit is no part of the class
  const bool known = shape && ((klass & ~kFlush) == kInternet || (type != 1 && type != 28));
  if (known && length > 0 && write_shape(*shape, message, Cursor(data), out)) return;
  out.shorten(begin);
  out.put("\\# ");
  out.number(length);
  if (length > 0) out.put(' ');
  for (const std::uint8_t octet : data.first(std::min<std::size_t>(length, 256))) out.hex(octet);
  if (length > 256) out.put("...");
}

}  // namespace probe::dns
