// Names of targets and listeners: udp://HOST:PORT, tcp://HOST:PORT, file:PATH, null: and options behind a "?".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace probe {

struct Url {
  enum class Scheme : std::uint8_t { udp, tcp, file, null };
  Scheme scheme = Scheme::null;
  std::string text;  // as given
  std::string host;  // without the brackets of an IPv6 address; of a listener it may be empty: every address
  std::string port;
  std::string path;  // file: everything up to a "?" that is followed by options
  std::map<std::string, std::string, std::less<>> options;

  bool network() const { return scheme == Scheme::udp || scheme == Scheme::tcp; }
};

// Throws std::runtime_error with a sentence that says what is wrong and how it should look.
Url parse_url(std::string_view text);

// A number among the options, e.g. "rate"; `otherwise` if it is not there. Throws if it is none or out of range.
std::uint64_t number_option(const Url&, std::string_view key, std::uint64_t otherwise, std::uint64_t least,
                            std::uint64_t most);

}  // namespace probe
