#include "dissectors/kit/dns_guess.h"

#include <algorithm>

#include "dissectors/kit/dns_message.h"

namespace probe::dns {

namespace {

constexpr std::size_t kLengthOctets = 2;
constexpr std::uint16_t kMostQuestions = 64;  // mDNS asks several at once
constexpr unsigned kMostOpcode = 6;           // DSO, RFC 8490

bool is_class(std::uint16_t c) { return c == 1 || c == 3 || c == 4 || c == 254 || c == 255; }

// RFC 1001 §14.1: a NetBIOS name is 16 octets, each as two letters; its questions are NB and NBSTAT.
bool is_netbios(const Message& m) {
  const std::string_view name = m.name.text();
  return (m.type == 0x20 || m.type == 0x21) && name.size() >= 32 &&
         std::all_of(name.begin(), name.begin() + 32, [](char c) { return c >= 'a' && c <= 'p'; });
}

// The header of a message of `octets` could be true. Each question takes five octets at least, each record eleven.
bool is_likely_header(const Message& m, std::size_t octets) {
  if (m.opcode() > kMostOpcode || m.opcode() == 3 || m.questions > kMostQuestions) return false;
  if (!m.is_response() && (m.code() != 0 || m.questions == 0)) return false;
  if (m.questions == 0 && m.answers_due == 0) return false;
  return kHeaderOctets + m.questions * std::size_t{5} + m.records_due * std::size_t{11} <= octets;
}

// `octets`: of the whole message, of which `data` is the front.
Read judge(Bytes data, std::size_t octets, bool& response) {
  Message m;
  if (!parse_header(data, m)) return Read::cut;
  if (!is_likely_header(m, octets)) return Read::malformed;
  const Read r = parse_message(data, m);
  // RFC 1035 §4.1.1: a reserved bit is set by some old clients only: then all else must be right.
  const bool reserved = (m.flags & 0x0040) != 0;
  if (r == Read::malformed || (reserved && !(m.whole && m.octets == octets))) return Read::malformed;
  response = m.is_response();
  if (r == Read::cut || !m.has_subject) return data.size() < octets ? Read::cut : Read::malformed;
  return m.type != 0 && is_class(m.klass) && !is_netbios(m) ? Read::good : Read::malformed;
}

}  // namespace

Finding find_framed(Bytes data) {
  Finding f{Frame::unknown};
  Cursor c(data);
  const std::size_t length = c.u16();
  if (!c.ok()) return f;
  const Read r =
      length < kHeaderOctets ? Read::malformed : judge(c.rest().first(std::min(length, c.left())), length, f.response);
  if (r != Read::cut) f.frame = r == Read::good ? Frame::stream : Frame::neither;
  return f;
}

Finding find_dns(Bytes first) {
  const Finding framed = find_framed(first);
  Cursor c(first);
  if (framed.frame == Frame::stream && c.u16() + kLengthOctets == first.size()) return framed;
  Finding plain{Frame::datagram};
  return judge(first, first.size(), plain.response) == Read::good ? plain : framed;
}

Guess guess_dns(Bytes first) {
  const Finding f = find_dns(first);
  if (f.frame == Frame::neither) return Guess::no;
  if (f.frame == Frame::unknown) return Guess::maybe;
  return f.response ? Guess::from_server : Guess::from_client;
}

}  // namespace probe::dns
