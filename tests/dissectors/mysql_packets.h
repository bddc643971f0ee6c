// Packets of the MySQL protocol, built octet by octet.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace probe::test::mysql {

using std::string;

inline string le(std::uint64_t v, int octets) {
  string out;
  for (int i = 0; i < octets; ++i) out.push_back(static_cast<char>(v >> 8 * i));
  return out;
}
inline string packet(int sequence, const string& payload) {
  return le(payload.size(), 3) + le(static_cast<unsigned>(sequence), 1) + payload;
}
inline string encoded(std::uint64_t v) {
  return v < 251 ? le(v, 1) : v < 65536 ? "\xfc" + le(v, 2) : v < 1u << 24 ? "\xfd" + le(v, 3) : "\xfe" + le(v, 8);
}
inline string text(const string& s) { return encoded(s.size()) + s; }

inline constexpr std::uint32_t kDeprecateEof = 1u << 24, kQueryAttributes = 1u << 27, kTls = 1u << 11,
                               kCompress = 1u << 5;
inline constexpr std::uint32_t kUsual = 0x003fa68d;  // with a schema, without DEPRECATE_EOF
inline constexpr std::uint32_t kServer = 0xdfffffff;

inline string greeting(const string& version = "8.0.35", std::uint32_t capabilities = kServer, std::uint32_t own = 0) {
  return packet(0, "\x0a" + version + string(1, '\0') + le(17, 4) + "12345678" + string(1, '\0') +
                       le(capabilities & 0xffff, 2) + "\x2d" + le(2, 2) + le(capabilities >> 16, 2) + "\x15" +
                       string(6, '\0') + le(own, 4) + "123456789012" + string(1, '\0') + "mysql_native_password" +
                       string(1, '\0'));
}
inline string login(const string& user = "app", const string& schema = "shop", std::uint32_t capabilities = kUsual,
                    std::uint32_t own = 0) {
  return packet(1, le(capabilities, 4) + le(1 << 24, 4) + "\x2d" + string(19, '\0') + le(own, 4) + user +
                       string(1, '\0') + "\x14" + string(20, 'p') +
                       (capabilities & 8 ? schema + string(1, '\0') : string()) + "mysql_native_password" +
                       string(1, '\0'));
}
inline string ok(int sequence, std::uint64_t affected = 0, int status = 2, int header = 0) {
  return packet(sequence, le(static_cast<unsigned>(header), 1) + encoded(affected) + encoded(0) +
                              le(static_cast<unsigned>(status), 2) + le(0, 2));
}
inline string eof(int sequence, int status = 2) {
  return packet(sequence, "\xfe" + le(0, 2) + le(static_cast<unsigned>(status), 2));
}
inline string error(int sequence, int code, const string& state, const string& message) {
  return packet(sequence, "\xff" + le(static_cast<unsigned>(code), 2) + (state.empty() ? "" : "#" + state) + message);
}
inline string column(int sequence, const string& name = "id") {
  return packet(sequence, text("def") + text("shop") + text("t") + text("t") + text(name) + text(name) + "\x0c" +
                              le(0x2d, 2) + le(255, 4) + "\xfd" + le(0, 2) + le(0, 3));
}
inline string row(int sequence, const std::vector<string>& values) {
  string out;
  for (const string& v : values) out += text(v);
  return packet(sequence, out);
}
// A result set of one column, whose packets begin with `sequence`.
inline string result_set(int sequence, int rows, int status = 2, bool eofs = true) {
  string out = packet(sequence, "\1") + column(sequence + 1);
  sequence += 2;
  if (eofs) out += eof(sequence++);
  for (int i = 0; i < rows; ++i) out += row(sequence++, {"value " + std::to_string(i)});
  return out + (eofs ? eof(sequence, status) : ok(sequence, 0, status, 0xfe));
}

inline string command(int code, const string& rest = {}) {
  return packet(0, le(static_cast<unsigned>(code), 1) + rest);
}
inline string query(const string& sql) { return command(0x03, sql); }
inline string prepare(const string& sql) { return command(0x16, sql); }
inline string execute(std::uint32_t id) { return command(0x17, le(id, 4) + string(1, '\0') + le(1, 4)); }
inline string prepared(int sequence, std::uint32_t id, int columns, int parameters, bool eofs = true) {
  string out = packet(sequence++, string(1, '\0') + le(id, 4) + le(static_cast<unsigned>(columns), 2) +
                                      le(static_cast<unsigned>(parameters), 2) + string(1, '\0') + le(0, 2));
  for (int n : {parameters, columns}) {
    for (int i = 0; i < n; ++i) out += column(sequence++, "?");
    if (n > 0 && eofs) out += eof(sequence++);
  }
  return out;
}

}  // namespace probe::test::mysql
