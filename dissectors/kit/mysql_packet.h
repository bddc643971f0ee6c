// The packets of the MySQL and MariaDB protocol and what stands in them.
// https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html,
// https://mariadb.com/kb/en/clientserver-protocol/
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "probe/base/bytes.h"

namespace probe::mysql {

// Every packet begins with its length (3 octets, little endian) and a number that starts at 0 with each command. A
// payload of kLongest goes on in the next packet.
struct Header {
  std::uint32_t length;
  std::uint8_t sequence;
};
inline constexpr std::size_t kHeaderOctets = 4;
inline constexpr std::uint32_t kLongest = 0xffffff;
inline Header header_of(Bytes b) {  // at least kHeaderOctets
  return {static_cast<std::uint32_t>(b[0] | b[1] << 8 | b[2] << 16), b[3]};
}

// Capabilities of both sides.
inline constexpr std::uint32_t kClientMysql = 1u << 0;  // not set: MariaDB's own capabilities follow
inline constexpr std::uint32_t kConnectWithDatabase = 1u << 3;
inline constexpr std::uint32_t kCompress = 1u << 5;
inline constexpr std::uint32_t kProtocol41 = 1u << 9;
inline constexpr std::uint32_t kTls = 1u << 11;
inline constexpr std::uint32_t kSecureConnection = 1u << 15;
inline constexpr std::uint32_t kPluginAuth = 1u << 19;
inline constexpr std::uint32_t kAuthLength = 1u << 21;  // of the authentication data: encoded, not one octet
inline constexpr std::uint32_t kDeprecateEof = 1u << 24;
inline constexpr std::uint32_t kOptionalMetadata = 1u << 25;
inline constexpr std::uint32_t kZstd = 1u << 26;
inline constexpr std::uint32_t kQueryAttributes = 1u << 27;
// MariaDB's own
inline constexpr std::uint32_t kCacheMetadata = 1u << 4;

// Status flags of OK and EOF packets.
inline constexpr std::uint16_t kMoreResults = 0x0008;
inline constexpr std::uint16_t kCursorExists = 0x0040;

// First octets of what a server answers.
inline constexpr std::uint8_t kOk = 0x00, kMoreData = 0x01, kInfile = 0xfb, kEof = 0xfe, kError = 0xff;

// A number of 1 to 9 octets; 0, and a cursor that is not ok, if it is none.
std::uint64_t encoded_number(Cursor&);
std::string_view encoded_text(Cursor&);
// Up to a NUL, which is passed, or the end.
std::string_view text_to_nul(Cursor&);

// The first packet of the server.
struct Greeting {
  std::string_view version;  // without the 5.5.5- that MariaDB puts before its own
  bool mariadb = false;
  std::uint32_t capabilities = 0;
  std::uint32_t mariadb_capabilities = 0;
};
// `body`: the payload as far as it is there.
std::optional<Greeting> read_greeting(Bytes body);
// The version text, behind the version of the protocol; "" if this is no greeting.
std::string_view version_of(Bytes body);
inline constexpr std::uint8_t kProtocolVersion = 10;

// The answer of the client: HandshakeResponse41 or 320, or a request for TLS.
struct Login {
  bool tls = false;  // nothing but a request for it
  std::uint32_t capabilities = 0;
  std::uint32_t mariadb_capabilities = 0;
  std::string_view user, database;
};
// `length`: of the whole payload, of which `body` is what is there.
std::optional<Login> read_login(Bytes body, std::size_t length);
// COM_CHANGE_USER behind its first octet.
std::optional<Login> read_change_user(Bytes body, std::uint32_t capabilities);

struct Ok {
  std::uint64_t affected_rows = 0;
  std::uint16_t status = 0;
};
std::optional<Ok> read_ok(Bytes body);
// The status of an EOF packet, or of the OK packet that stands for it.
std::uint16_t status_of_eof(Bytes body);

struct Error {
  std::uint16_t code = 0;
  std::string_view state, message;
};
std::optional<Error> read_error(Bytes body);
inline constexpr std::uint16_t kProgressReport = 0xffff;  // no error, but how far MariaDB has come

// COM_QUERY behind its first octet: the text without the attributes before it. "" if it is not there.
enum class Attributes : std::uint8_t { no, yes, unknown };
std::string_view query_text(Bytes body, Attributes);

}  // namespace probe::mysql
