#include "dissectors/kit/sip_message.h"

#include <algorithm>

#include "exporter/schema/element.h"
#include "probe/base/hash.h"

namespace probe::sip {

using namespace text_message;

namespace {

// RFC 3261, 3262, 6665, 3903, 6086, 3515, 3428, 3311.
constexpr std::string_view kMethods[] = {"INVITE",    "ACK",    "BYE",     "CANCEL", "OPTIONS", "REGISTER", "PRACK",
                                         "SUBSCRIBE", "NOTIFY", "PUBLISH", "INFO",   "REFER",   "MESSAGE",  "UPDATE"};

// Behind the address: "Anna; the first" <sip:anna@example.org;x>;tag=1 has one parameter.
std::string_view parameters_of(std::string_view address) {
  const std::size_t quote = address.starts_with('"') ? address.find('"', 1) : 0;
  const std::size_t bracket = address.find('>', std::min(quote, address.size()));
  const std::string_view rest = bracket == address.npos ? address : address.substr(bracket + 1);
  const std::size_t semicolon = rest.find(';');
  return semicolon == rest.npos ? std::string_view() : rest.substr(semicolon + 1);
}

// Several may stand in one field (§7.3.1); the first is the topmost.
std::string_view topmost(std::string_view via) { return trim(via.substr(0, via.find(','))); }

// "314159 INVITE"
bool parse_cseq(std::string_view s, Message& out) {
  const std::size_t blank = std::min(s.find_first_of(" \t"), s.size());
  std::uint64_t n = 0;
  if (!text_message::parse_number(s.substr(0, blank), n) || n > 0xffffffff) return false;
  out.number = static_cast<std::uint32_t>(n);
  out.method = trim(s.substr(blank));
  return !out.method.empty();
}

// Sets a value once: of a field that comes twice the first counts.
void keep(std::string_view& to, std::string_view value) {
  if (to.empty()) to = value;
}

struct Known {
  std::string_view name, compact;  // RFC 3261 §7.3.3
  std::string_view Message::*value;
};
constexpr Known kFields[] = {{"call-id", "i", &Message::call_id},
                             {"via", "v", &Message::via},
                             {"from", "f", &Message::from},
                             {"to", "t", &Message::to},
                             {"user-agent", "", &Message::user_agent},
                             {"server", "", &Message::server},
                             {"content-type", "c", &Message::content_type}};

}  // namespace

const Protocol kProtocol{"SIP", kMethods};

std::string_view uri_of(std::string_view address) {
  const std::size_t quote = address.starts_with('"') ? address.find('"', 1) : 0;
  if (quote == address.npos) return {};
  const std::size_t open = address.find('<', quote);
  if (open == address.npos) return trim(address.substr(0, address.find(';')));
  const std::string_view rest = address.substr(open + 1);
  return trim(rest.substr(0, rest.find('>')));
}

bool parse(const text_message::Message& m, Message& out) {
  out.start = m.start;
  out.body = m.body;
  out.octets = m.octets;
  out.whole = m.whole;
  bool numbered = false;
  FieldReader f(m.fields);
  while (f.next()) {
    if (!numbered && same_word(f.name(), "cseq")) {
      numbered = parse_cseq(f.value(), out);
      continue;
    }
    for (const Known& k : kFields)
      if (same_word(f.name(), k.name) || (f.name().size() == 1 && same_word(f.name(), k.compact)))
        keep(out.*k.value, f.value());
  }
  if (!numbered || out.call_id.empty() || out.via.empty()) return false;
  // RFC 3261 §8.2.1, §20.16: they are the same, and what is not is no request.
  if (out.is_request() && out.method != out.start.method) return false;
  out.via = topmost(out.via);
  out.to_tag = parameter(parameters_of(out.to), "tag");
  out.from = uri_of(out.from);
  out.to = uri_of(out.to);
  const std::string_view method = out.method == "ACK" ? std::string_view("INVITE") : out.method;
  out.request = mix(schema::hash(out.call_id), out.number);
  out.transaction = mix(out.request, mix(schema::hash(parameter(out.via, "branch")), schema::hash(method)));
  return true;
}

}  // namespace probe::sip
