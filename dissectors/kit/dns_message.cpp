#include "dissectors/kit/dns_message.h"

#include "dissectors/kit/dns_rdata.h"

namespace probe::dns {

namespace {

constexpr std::size_t kMostItems = 512;  // of texts: what follows does not change the record

// RFC 6762 §5.4, §10.2: the upper bit of a class is a flag of mDNS.
std::uint16_t class_of(std::uint16_t wire) {
  const std::uint16_t plain = wire & 0x7fff;
  return plain == 1 || plain == 255 ? plain : wire;
}

Read parse_question(Bytes data, std::size_t& at, Message& m) {
  if (const Read r = read_name(data, at, m.name); r != Read::good) return r;
  Cursor c(data.subspan(at));
  m.type = c.u16();
  m.klass = class_of(c.u16());
  if (!c.ok()) return Read::cut;
  m.has_subject = true;
  at += 4;
  return Read::good;
}

Read skip_question(Bytes data, std::size_t& at) {
  if (const Read r = skip_name(data, at); r != Read::good) return r;
  if (data.size() - at < 4) return Read::cut;
  at += 4;
  return Read::good;
}

// Texts end between items.
void add_answer(Bytes data, std::size_t at, std::size_t length, std::uint16_t type, std::uint16_t klass,
                std::uint32_t ttl, Message& m) {
  if (m.text_cut || m.answers > kMostItems) return;
  const std::size_t before = m.data.size(), ttl_before = m.ttl.size();
  if (m.answers > 1) m.data.put(','), m.ttl.put(',');
  write_rdata(data, at, length, type, klass, m.data);
  m.ttl.number(ttl);
  m.text_cut = m.data.cut() || m.ttl.cut();
  if (!m.text_cut || m.answers == 1) return;
  m.data.shorten(before);
  m.ttl.shorten(ttl_before);
}

// False if the record is not all there, or is none.
bool parse_record(Bytes data, std::size_t& at, bool answer, Message& m) {
  const bool first = !m.has_subject;
  if ((first ? read_name(data, at, m.name) : skip_name(data, at)) != Read::good) return false;
  Cursor c(data.subspan(at));
  const std::uint16_t type = c.u16(), klass = c.u16();
  const std::uint32_t ttl = c.u32();
  const std::size_t length = c.u16();
  if (!c.ok() || length > c.left()) return false;
  const std::size_t begin = at + 10;
  at = begin + length;
  if (type == kTypeOpt) {
    m.has_edns = true;
    m.edns_size = klass;
    m.extended_code = static_cast<std::uint8_t>(ttl >> 24);
    return true;
  }
  if (first) {
    m.has_subject = true;
    m.type = type;
    m.klass = class_of(klass);
  }
  if (answer) {
    ++m.answers;
    if (m.is_response()) add_answer(data, begin, length, type, klass, ttl, m);
  }
  return true;
}

}  // namespace

bool parse_header(Bytes data, Message& m) {
  Cursor c(data);
  m.id = c.u16();
  m.flags = c.u16();
  m.questions = c.u16();
  m.answers_due = c.u16();
  m.records_due = m.answers_due;
  m.records_due += c.u16();
  m.records_due += c.u16();
  return c.ok();
}

Read parse_message(Bytes data, Message& m) {
  if (!parse_header(data, m)) return Read::cut;
  std::size_t at = kHeaderOctets;
  if (m.questions > 0)
    if (const Read r = parse_question(data, at, m); r != Read::good) return r;
  for (std::uint32_t i = 1; i < m.questions; ++i)  // each takes five octets at least
    if (skip_question(data, at) != Read::good) return Read::good;
  for (std::uint32_t i = 0; i < m.records_due; ++i)  // and each of these eleven
    if (!parse_record(data, at, i < m.answers_due, m)) return Read::good;
  m.whole = true;
  m.octets = at;
  return Read::good;
}

}  // namespace probe::dns
