#include "exporter/ipfix/types.h"

#include <algorithm>
#include <string_view>

#include "exporter/ipfix/model.h"
#include "exporter/ipfix/writer.h"

namespace probe::ipfix {
namespace {

constexpr std::uint32_t kTypesDomain = 0;
constexpr std::uint16_t kTypesTemplate = 256;

// RFC 5610 §3: the elements of a type record. The first two are the scope: which element it is about.
constexpr Field kFields[] = {
    {schema::kIana, 346, 4},                // privateEnterpriseNumber
    {schema::kIana, 303, 2},                // informationElementId
    {schema::kIana, 339, 1},                // informationElementDataType
    {schema::kIana, 344, 1},                // informationElementSemantics
    {schema::kIana, 345, 2},                // informationElementUnits
    {schema::kIana, 342, 8},                // informationElementRangeBegin: 0 and 0, no range
    {schema::kIana, 343, 8},                // informationElementRangeEnd
    {schema::kIana, 341, kVariableLength},  // informationElementName
    {schema::kIana, 340, kVariableLength},  // informationElementDescription
};
constexpr std::uint16_t kScopeFields = 2;

void write_template(Writer& w) {
  const Set set(w, 3);  // options template set
  w.number(kTypesTemplate, 2);
  w.number(std::size(kFields), 2);
  w.number(kScopeFields, 2);
  for (const Field& f : kFields) {
    w.number(f.id, 2);
    w.number(f.octets, 2);
  }
}

bool is_number(schema::Type t) {
  return t == schema::Type::u8 || t == schema::Type::u16 || t == schema::Type::u32 || t == schema::Type::u64 ||
         t == schema::Type::f64;
}

void write_record(Writer& w, const schema::Element& e, std::uint32_t enterprise) {
  w.number(enterprise, 4);
  w.number(e.id, 2);
  w.number(type_number(e.shape.type), 1);
  // RFC 5610 §3.6: a quantity is a number; texts, addresses and times have no semantics.
  const bool plain = e.shape.semantics == schema::Semantics::plain && !is_number(e.shape.type);
  w.number(plain ? 0 : semantic_number(e.shape.semantics), 1);
  w.number(unit_number(e.shape.units), 2);
  w.number(0, 8);
  w.number(0, 8);
  w.text(e.name());
  w.text(e.meaning);
}

std::size_t most_octets(const schema::Element& e) { return 26 + 3 + e.length + 3 + e.meaning.size(); }

// As many elements from `next` on as the message has room for, but at least one if any is left. How many.
std::uint32_t write_records(Writer& w, std::size_t& next, const EncoderOptions& options) {
  const Set set(w, kTypesTemplate);
  std::uint32_t records = 0;
  for (; next < schema::kElementCount; ++next) {
    const schema::Element& e = schema::kElements[next];
    if (!e.ours()) continue;
    if (records != 0 && w.size() + most_octets(e) > options.message_octets) break;
    write_record(w, e, options.enterprise);
    ++records;
  }
  return records;
}

}  // namespace

void put_export_time(std::uint8_t* message, std::uint32_t seconds) {
  for (int i = 0; i < 4; ++i) message[4 + i] = static_cast<std::uint8_t>(seconds >> (24 - 8 * i));
}

void put_sequence(std::uint8_t* message, std::uint32_t sequence) {
  for (int i = 0; i < 4; ++i) message[8 + i] = static_cast<std::uint8_t>(sequence >> (24 - 8 * i));
}

void write_types(const EncoderOptions& options, std::uint32_t time, std::uint32_t& sequence,
                 MessageReceiver& receiver) {
  std::size_t next = 0;
  while (next < schema::kElementCount) {
    Writer w;
    write_header(w, time, sequence, kTypesDomain);
    if (next == 0) write_template(w);
    const std::uint32_t records = write_records(w, next, options);
    if (records == 0) break;
    w.length_at(2, w.size());
    sequence += records;
    receiver.message(w.octets(), {});
  }
}

}  // namespace probe::ipfix
