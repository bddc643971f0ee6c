#include "exporter/ipfix/catalogue.h"

#include <algorithm>
#include <array>

#include "exporter/ipfix/model.h"
#include "exporter/record/record.h"
#include "exporter/record/utf8.h"

namespace probe::ipfix {
namespace {

constexpr std::uint16_t kEnterpriseBit = 0x8000;  // RFC 7011 §3.2
constexpr std::uint16_t kPadding = 210;           // paddingOctets
constexpr std::uint16_t kFirstId = 256;
constexpr std::size_t kMostFieldsRead = 1000;  // of a template
constexpr std::size_t kMostTemplates = 8192;   // of an exporter
constexpr std::size_t kMostContents = 4096;    // different ones among them
constexpr std::size_t kMostNames = 4096, kMostIgnored = 256;

// RFC 5610 §3.9 and IANA's numbers: what a type record must have to be of use.
constexpr std::uint16_t kTypeEnterprise = 346, kTypeId = 303, kTypeName = 341;

bool has(const WireTemplate& t, std::uint16_t id) {
  return std::any_of(t.fields.begin(), t.fields.end(),
                     [id](const Field& f) { return f.pen == schema::kIana && f.id == id; });
}

// Whether a field of that length can be read as this element. Numbers may be shorter (RFC 7011 §6.2), and longer ones
// than we keep lose octets that are zero in practice.
bool readable(const schema::Element& e, std::uint16_t octets) {
  if (e.is_text()) return octets == kVariableLength;
  switch (e.shape.type) {
    case schema::Type::u8:
    case schema::Type::u16:
    case schema::Type::u32:
    case schema::Type::u64:
      return octets >= 1 && octets <= 8;
    default:
      return octets == schema::width(e.shape.type);
  }
}

struct Numbered {
  std::uint32_t pen;
  std::uint16_t id;
  std::uint16_t element;
  auto operator<=>(const Numbered&) const = default;
};

// Elements of the table by their number, sorted.
const std::array<Numbered, schema::kElementCount>& by_number() {
  static const auto table = [] {
    std::array<Numbered, schema::kElementCount> out{};
    for (std::size_t i = 0; i < schema::kElementCount; ++i)
      out[i] = {schema::kElements[i].pen, schema::kElements[i].id, static_cast<std::uint16_t>(i)};
    std::sort(out.begin(), out.end());
    return out;
  }();
  return table;
}

// The element of a wire field, or kNone.
std::size_t element_of(const Field& f, std::uint32_t enterprise) {
  const std::uint32_t pen = f.pen == enterprise ? schema::kDocumentationPen : f.pen;
  const auto& table = by_number();
  const auto at = std::lower_bound(table.begin(), table.end(), Numbered{pen, f.id, 0});
  if (at == table.end() || at->pen != pen || at->id != f.id) return schema::kNone;
  return readable(schema::kElements[at->element], f.octets) ? at->element : schema::kNone;
}

bool only_in(schema::Group g, std::size_t kind) {
  for (std::size_t k = 0; k < schema::kKindCount; ++k)
    if (schema::belongs(g, schema::kKinds[k]) != (k == kind)) return false;
  return true;
}

// A template with an element that only one kind of record has is of that kind, transactions before flows. Others with
// an address in them, from any exporter, are flows.
std::size_t kind_of(const std::vector<std::size_t>& elements) {
  constexpr std::size_t kFlow = schema::find_kind("flow");
  bool addresses = false;
  for (const std::size_t e : elements) {
    if (e == schema::kNone) continue;
    const schema::Group g = schema::kElements[e].group;
    addresses = addresses || g == schema::Group::ipv4 || g == schema::Group::ipv6;
    for (std::size_t k = 0; k < schema::kKindCount; ++k)
      if (k != kFlow && only_in(g, k)) return k;
  }
  return addresses ? kFlow : schema::kNone;
}

// Places of a flow: the key is told, the counts are not.
bool can_continue(const std::vector<std::uint8_t>& places) {
  const auto told = [&](std::size_t place) { return std::find(places.begin(), places.end(), place) != places.end(); };
  return told(place_in<"flow", "flowId">()) && told(place_in<"flow", "flowEndMicroseconds">()) &&
         !told(place_in<"flow", "packetDeltaCount">());
}

}  // namespace

std::shared_ptr<const WireTemplate> Catalogue::find(std::uint32_t domain, std::uint16_t id) const {
  const auto found = templates_.find({domain, id});
  return found == templates_.end() ? nullptr : found->second;
}

bool Catalogue::learn(std::uint32_t domain, std::uint16_t set_id, Bytes records) {
  const bool options = set_id == 3;
  Cursor c(records);
  while (c.left() >= 4) {
    const Bytes rest = c.rest();
    if (std::all_of(rest.begin(), rest.end(), [](std::uint8_t o) { return o == 0; })) return true;  // padding
    if (!learn_one(domain, options, c)) return false;
  }
  return true;
}

bool Catalogue::learn_one(std::uint32_t domain, bool options, Cursor& c) {
  const std::uint16_t id = c.u16(), count = c.u16();
  if (!c.ok() || (id < kFirstId && !(count == 0 && (id == 2 || id == 3)))) return false;
  if (count == 0) {  // RFC 7011 §8.1: withdrawal of one template, or of all
    if (id < kFirstId)
      std::erase_if(templates_, [&](const auto& t) { return t.first.first == domain && t.second->options == options; });
    else
      templates_.erase({domain, id});
    return true;
  }
  WireTemplate t;
  t.options = options;
  const std::uint16_t scope = options ? c.u16() : std::uint16_t{0};
  if (!c.ok() || count > kMostFieldsRead || (options && (scope == 0 || scope > count))) return false;
  for (std::uint16_t i = 0; i < count; ++i) {
    Field f;
    f.id = c.u16();
    f.octets = c.u16();
    if ((f.id & kEnterpriseBit) != 0) {
      f.id = static_cast<std::uint16_t>(f.id & ~kEnterpriseBit);
      f.pen = c.u32();
    }
    t.least_octets += f.octets == kVariableLength ? 1 : f.octets;
    t.fields.push_back(f);
  }
  // A record of no octets could be repeated for ever.
  if (!c.ok() || t.least_octets == 0) return false;
  t.types = options && has(t, kTypeEnterprise) && has(t, kTypeId) && has(t, kTypeName);
  if (!options) understand(t);
  if (templates_.size() >= kMostTemplates && templates_.find({domain, id}) == templates_.end()) return false;
  templates_[{domain, id}] = std::make_shared<const WireTemplate>(std::move(t));
  return true;
}

void Catalogue::understand(WireTemplate& t) {
  std::vector<std::size_t> elements;
  for (const Field& f : t.fields) elements.push_back(element_of(f, enterprise_));
  t.kind = kind_of(elements);
  if (t.kind == schema::kNone) return;

  std::set<std::size_t> seen;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const std::uint8_t place = elements[i] == schema::kNone ? schema::kNoPlace : schema::places_of(elements[i])[t.kind];
    if (place != schema::kNoPlace && seen.insert(elements[i]).second) {
      const schema::Element& e = schema::kElements[elements[i]];
      t.places.push_back(place);
      t.readable.push_back({e.pen, e.id, t.fields[i].octets});
      continue;
    }
    if (t.fields[i].octets > 0) t.readable.push_back({schema::kIana, kPadding, t.fields[i].octets});
    if (place != schema::kNoPlace) continue;  // the same once more
    ++ignored_fields_;
    if (ignored_.size() < kMostIgnored) ignored_.insert({t.fields[i].pen, t.fields[i].id});
  }
  t.continuation = t.kind == schema::find_kind("flow") && can_continue(t.places);
  if (!number(t)) t.kind = schema::kNone;
}

bool Catalogue::number(WireTemplate& t) {
  std::vector<std::uint64_t> content{t.kind};
  for (const Field& f : t.readable)
    content.push_back(std::uint64_t{f.pen} << 32 | std::uint64_t{f.id} << 16 | f.octets);
  const auto found = ids_.find(content);
  if (found == ids_.end() && ids_.size() >= kMostContents) return false;
  t.internal_id = found != ids_.end() ? found->second : static_cast<std::uint16_t>(kFirstId + ids_.size());
  if (found == ids_.end()) ids_.emplace(std::move(content), t.internal_id);
  return true;
}

void Catalogue::learn_name(const WireTemplate& t, Bytes record) {
  Cursor c(record);
  std::uint64_t pen = 0, id = 0;
  std::string name;
  walk(t, c, [&](const Field& f, Bytes value) {
    if (f.pen != schema::kIana) return;
    std::uint64_t number = 0;
    for (const std::uint8_t o : value.first(std::min<std::size_t>(value.size(), 8))) number = number << 8 | o;
    if (f.id == kTypeEnterprise) pen = number;
    if (f.id == kTypeId) id = number & 0x7fff;
    if (f.id == kTypeName) {
      name.resize(64);
      name.resize(copy_utf8(reinterpret_cast<std::uint8_t*>(name.data()), name.size(), as_text(value)));
    }
  });
  if (!c.ok() || names_.size() >= kMostNames) return;
  names_.emplace(Element{static_cast<std::uint32_t>(pen), static_cast<std::uint16_t>(id)}, std::move(name));
}

std::vector<std::string> Catalogue::ignored_names() const {
  std::vector<std::string> out;
  for (const Element& e : ignored_) {
    const auto known = names_.find(e);
    const std::string number = std::to_string(e.first) + "/" + std::to_string(e.second);
    out.push_back(known == names_.end() ? number : number + " " + known->second);
  }
  return out;
}

}  // namespace probe::ipfix
