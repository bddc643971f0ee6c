#include "exporter/text/json_lines.h"

#include <fmt/format.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <iterator>
#include <stdexcept>

#include "exporter/text/fields.h"
#include "exporter/text/value.h"

namespace probe {
namespace {

constexpr std::size_t kBuffer = 1 << 18;

// RFC 8259 §7; the text is valid UTF-8 already.
void append_quoted(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

// RFC 8259 §6 knows no infinity; another exporter may.
void append_fraction(double value, std::string& out) {
  if (std::isfinite(value))
    fmt::format_to(std::back_inserter(out), "{}", value);
  else
    out += "null";
}

void append_record(const Record& r, std::string& scratch, std::string& out) {
  out += "{\"record\":\"";
  out += schema::kKinds[r.kind()].name;
  out += '"';
  for_each_field(r, [&](std::size_t place, const schema::Element& e) {
    out += ",\"";
    out += e.name();
    out += "\":";
    const Value v = value_of(r, place, scratch);
    if (const auto* text = std::get_if<std::string_view>(&v))
      append_quoted(*text, out);
    else if (const auto* fraction = std::get_if<double>(&v))
      append_fraction(*fraction, out);
    else
      fmt::format_to(std::back_inserter(out), "{}", std::get<std::uint64_t>(v));
  });
  out += "}\n";
}

}  // namespace

void append_json(const Record& r, std::string& out) {
  std::string scratch;
  append_record(r, scratch, out);
}

JsonLines::JsonLines(const std::string& path)
    : path_(path), file_(path == "-" ? stdout : std::fopen(path.c_str(), "w")) {
  if (!file_) throw std::runtime_error(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  buffer_.reserve(kBuffer + 65'536);
}

JsonLines::~JsonLines() {
  if (file_ && file_ != stdout) std::fclose(file_);
}

void JsonLines::put(const Record& r) {
  append_record(r, value_, buffer_);
  if (buffer_.size() >= kBuffer) flush();
}

void JsonLines::flush() {
  if (std::fwrite(buffer_.data(), 1, buffer_.size(), file_) != buffer_.size() || std::fflush(file_) != 0)
    error_ = errno;
  buffer_.clear();
}

void JsonLines::finish() {
  flush();
  if (error_ != 0) throw std::runtime_error(fmt::format("cannot write {}: {}", path_, std::strerror(error_)));
}

}  // namespace probe
