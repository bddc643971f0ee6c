#include "exporter/transport/url.h"

#include <charconv>
#include <stdexcept>

namespace probe {
namespace {

[[noreturn]] void bad(std::string_view url, std::string_view why) {
  throw std::runtime_error("\"" + std::string(url) + "\" " + std::string(why) +
                           "; it should look like udp://HOST:PORT, tcp://HOST:PORT, file:PATH or null:");
}

void parse_options(std::string_view url, std::string_view text, Url& out) {
  while (!text.empty()) {
    const std::size_t end = text.find('&');
    const std::string_view option = text.substr(0, end);
    const std::size_t equals = option.find('=');
    if (equals == 0 || equals == std::string_view::npos)
      bad(url, "has the option \"" + std::string(option) + "\", which is not of the form KEY=VALUE");
    if (!out.options.emplace(option.substr(0, equals), option.substr(equals + 1)).second)
      bad(url, "gives the option \"" + std::string(option.substr(0, equals)) + "\" twice");
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
}

void parse_endpoint(std::string_view url, std::string_view text, Url& out) {
  std::size_t colon = text.rfind(':');
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) bad(url, "has a \"[\" without a \"]\"");
    out.host = text.substr(1, close - 1);
    colon = close + 1 < text.size() && text[close + 1] == ':' ? close + 1 : std::string_view::npos;
    if (close + 1 < text.size() && text[close + 1] != ':') bad(url, "has something between \"]\" and \":PORT\"");
  } else {
    out.host = text.substr(0, colon);
    if (out.host.find(':') != std::string::npos) bad(url, "has an IPv6 address without brackets: [ADDRESS]:PORT");
  }
  if (colon == std::string_view::npos || colon + 1 == text.size()) bad(url, "has no port");
  out.port = text.substr(colon + 1);
  unsigned number = 0;
  const char* end = out.port.data() + out.port.size();
  const auto [rest, error] = std::from_chars(out.port.data(), end, number);
  if (error != std::errc() || rest != end || number > 65535)
    bad(url, "has the port \"" + out.port + "\", which is not a number from 0 to 65535");
}

}  // namespace

Url parse_url(std::string_view text) {
  Url out;
  out.text = text;
  const std::size_t question = text.rfind('?');
  const std::string_view what = text.substr(0, question);
  if (question != std::string_view::npos) parse_options(text, text.substr(question + 1), out);

  if (what.starts_with("udp://") || what.starts_with("tcp://")) {
    out.scheme = what.starts_with("udp") ? Url::Scheme::udp : Url::Scheme::tcp;
    parse_endpoint(text, what.substr(6), out);
  } else if (what.starts_with("file:")) {
    out.scheme = Url::Scheme::file;
    out.path = what.substr(what.starts_with("file:///") ? 7 : 5);
    if (out.path.empty()) bad(text, "has no path");
  } else if (what == "null:") {
    out.scheme = Url::Scheme::null;
  } else {
    bad(text, "is not a target");
  }
  return out;
}

std::uint64_t number_option(const Url& url, std::string_view key, std::uint64_t otherwise, std::uint64_t least,
                            std::uint64_t most) {
  const auto found = url.options.find(key);
  if (found == url.options.end()) return otherwise;
  const std::string& text = found->second;
  std::uint64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest != text.data() + text.size() || value < least || value > most)
    throw std::runtime_error("\"" + url.text + "\": the option " + std::string(key) + " is \"" + text +
                             "\"; it must be a number from " + std::to_string(least) + " to " + std::to_string(most));
  return value;
}

}  // namespace probe
