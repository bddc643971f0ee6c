#include "dissectors/kit/mysql_packet.h"

#include <algorithm>

namespace probe::mysql {
namespace {

bool printable(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

constexpr std::string_view kReplicationPrefix = "5.5.5-";  // for clients that take 10 for less than 5
constexpr std::size_t kLongestVersion = 100;

Login read_login_320(Cursor c) {
  Login out;
  out.capabilities = c.u16_le();
  c.skip(3);  // largest packet
  out.user = text_to_nul(c);
  text_to_nul(c);  // authentication
  if (out.capabilities & kConnectWithDatabase) out.database = text_to_nul(c);
  return out;
}

void skip_authentication(Cursor& c, std::uint32_t capabilities) {
  if (capabilities & kAuthLength)
    encoded_text(c);
  else if (capabilities & kSecureConnection)
    c.skip(c.u8());
  else
    text_to_nul(c);
}

// Octets of a value in the binary protocol; for those with a length of their own the cursor stands behind that.
std::uint64_t value_octets(std::uint8_t type, Cursor& c) {
  enum : std::uint8_t { tiny = 1, small = 2, integer = 3, real = 4, real8 = 5, null = 6, timestamp = 7, big = 8 };
  enum : std::uint8_t { int24 = 9, date = 10, time = 11, datetime = 12, year = 13, boolean = 244 };
  switch (type) {
    case null:
      return 0;
    case tiny:
    case boolean:
      return 1;
    case small:
    case year:
      return 2;
    case integer:
    case int24:
    case real:
      return 4;
    case big:
    case real8:
      return 8;
    case timestamp:
    case date:
    case time:
    case datetime:
      return c.u8();
    default:
      return encoded_number(c);
  }
}

// Passes the attributes of a query: a null bitmap, types with names, values. False: they are not whole, or none.
bool pass_attributes(Cursor& c) {
  constexpr std::uint64_t kMost = 512;
  const std::uint64_t count = encoded_number(c), sets = encoded_number(c);
  if (!c.ok() || sets != 1 || count > kMost) return false;
  if (count == 0) return true;
  const Bytes nulls = c.take((count + 7) / 8);
  if (c.u8() != 1 || !c.ok()) return false;  // types are sent always
  std::uint8_t types[kMost];
  for (std::uint64_t i = 0; i < count; ++i) {
    types[i] = static_cast<std::uint8_t>(c.u16_le());
    encoded_text(c);
  }
  for (std::uint64_t i = 0; i < count && c.ok(); ++i)
    if ((nulls[i / 8] >> i % 8 & 1) == 0) c.skip(static_cast<std::size_t>(value_octets(types[i], c)));
  return c.ok();
}

}  // namespace

std::uint64_t encoded_number(Cursor& c) {
  const std::uint8_t first = c.u8();
  switch (first) {
    case 0xfc:
      return c.u16_le();
    case 0xfd:
      return c.u24_le();
    case 0xfe:
      return c.u64_le();
    case 0xfb:  // NULL
    case 0xff:
      c.skip(c.left() + 1);
      return 0;
    default:
      return first;
  }
}

std::string_view encoded_text(Cursor& c) {
  const std::uint64_t n = encoded_number(c);
  return as_text(c.take(n > c.left() ? c.left() + 1 : static_cast<std::size_t>(n)));
}

std::string_view text_to_nul(Cursor& c) {
  const std::string_view rest = as_text(c.rest());
  const std::size_t end = rest.find('\0');
  if (end == rest.npos) return as_text(c.take(c.left()));
  c.skip(end + 1);
  return rest.substr(0, end);
}

std::string_view version_of(Bytes body) {
  if (body.empty() || body[0] != kProtocolVersion) return {};
  const std::string_view rest = as_text(body.subspan(1)).substr(0, kLongestVersion);
  const std::string_view version = rest.substr(0, rest.find('\0'));
  const bool ends = version.size() < rest.size();
  return ends && !version.empty() && printable(version) && version[0] >= '0' && version[0] <= '9' ? version
                                                                                                  : std::string_view();
}

std::optional<Greeting> read_greeting(Bytes body) {
  Cursor c(body);
  Greeting g;
  g.version = version_of(body);
  if (g.version.empty()) return {};
  c.skip(1 + g.version.size() + 1);
  c.skip(4 + 8 + 1);  // connection, first part of the salt, filler
  g.capabilities = c.u16_le();
  if (!c.ok()) return {};
  c.skip(1 + 2);  // character set, status
  g.capabilities |= static_cast<std::uint32_t>(c.u16_le()) << 16;
  c.skip(1 + 6);  // length of the salt, filler
  const std::uint32_t own = c.u32_le();
  if (!(g.capabilities & kClientMysql)) g.mariadb_capabilities = own;
  g.mariadb = g.version.find("MariaDB") != g.version.npos;
  if (g.version.starts_with(kReplicationPrefix) && g.version.size() > kReplicationPrefix.size() &&
      g.version[kReplicationPrefix.size()] >= '0' && g.version[kReplicationPrefix.size()] <= '9') {
    g.version.remove_prefix(kReplicationPrefix.size());
    g.mariadb = true;
  }
  return g;
}

std::optional<Login> read_login(Bytes body, std::size_t length) {
  Cursor c(body);
  const std::uint32_t low = c.u16_le();
  if (!c.ok()) return {};
  if (!(low & kProtocol41)) {
    constexpr std::size_t kBareLogin = 5;  // nothing but capabilities and the largest packet: TLS is next
    if (length < kBareLogin || (length == kBareLogin && !(low & kTls))) return {};
    Login old = read_login_320(Cursor(body));
    old.tls = length == kBareLogin;
    return old;
  }
  Login out;
  out.capabilities = low | static_cast<std::uint32_t>(c.u16_le()) << 16;
  c.skip(4 + 1 + 19);  // largest packet, character set, filler
  const std::uint32_t own = c.u32_le();
  if (!c.ok()) return {};
  if (!(out.capabilities & kClientMysql)) out.mariadb_capabilities = own;
  constexpr std::size_t kBareLogin = 32;
  out.tls = length == kBareLogin && (low & kTls);
  out.user = text_to_nul(c);
  skip_authentication(c, out.capabilities);
  if (out.capabilities & kConnectWithDatabase) out.database = text_to_nul(c);
  return out;
}

std::optional<Login> read_change_user(Bytes body, std::uint32_t capabilities) {
  Cursor c(body);
  Login out;
  out.user = text_to_nul(c);
  skip_authentication(c, capabilities & ~kAuthLength);
  out.database = text_to_nul(c);
  if (!c.ok()) return {};
  return out;
}

std::optional<Ok> read_ok(Bytes body) {
  Cursor c(body);
  c.skip(1);
  Ok ok;
  ok.affected_rows = encoded_number(c);
  encoded_number(c);  // last insert id
  if (!c.ok()) return {};
  ok.status = c.u16_le();
  return ok;
}

std::uint16_t status_of_eof(Bytes body) {
  constexpr std::size_t kEofOctets = 5;
  if (body.size() > kEofOctets) {
    const std::optional<Ok> ok = read_ok(body);
    return ok ? ok->status : std::uint16_t{0};
  }
  Cursor c(body);
  c.skip(1 + 2);  // warnings
  return c.u16_le();
}

std::optional<Error> read_error(Bytes body) {
  Cursor c(body);
  c.skip(1);
  Error e;
  e.code = c.u16_le();
  if (!c.ok()) return {};
  if (c.left() >= 6 && c.rest()[0] == '#') {
    c.skip(1);
    e.state = as_text(c.take(5));
  }
  e.message = as_text(c.rest());
  return e;
}

std::string_view query_text(Bytes body, Attributes attributes) {
  Cursor c(body);
  if (attributes == Attributes::no) return as_text(body);
  if (attributes == Attributes::yes) return pass_attributes(c) ? as_text(c.rest()) : std::string_view();
  // The number of attributes and of their sets, which is 1: no text begins so.
  const bool likely = body.size() > 2 && body[0] < '\t' && body[1] == 1;
  return likely && pass_attributes(c) ? as_text(c.rest()) : as_text(body);
}

}  // namespace probe::mysql
