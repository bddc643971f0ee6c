#include "exporter/ipfix/reader.h"

#include <fixbuf/public.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "exporter/ipfix/model.h"
#include "exporter/ipfix/types.h"
#include "exporter/record/groups.h"

namespace probe::ipfix {
namespace {

constexpr std::size_t kHeader = 16, kSetHeader = 4;
constexpr std::uint16_t kVersion = 10, kFirstDataSet = 256;
constexpr std::uint32_t kInnerDomain = 1;  // all that is forwarded stands in one
constexpr std::size_t kMostDomains = 1024;
constexpr std::size_t kSpare = 8;  // libfixbuf looks at a length octet before it asks whether there is one
// A sequence number so far behind says that the exporter began anew.
constexpr std::int32_t kNewBeginning = 10'000;

std::array<std::size_t, schema::kKindCount> one_of_each() {
  std::array<std::size_t, schema::kKindCount> out;
  out.fill(1);
  return out;
}

constexpr struct {
  std::uint16_t element;  // of IANA
  std::optional<std::uint64_t> Told::*value;
} kTold[] = {{163, &Told::flows},  {86, &Told::packets}, {164, &Told::packets_ignored}, {41, &Told::messages},
             {42, &Told::records}, {40, &Told::octets},  {166, &Told::records_not_sent}};

void listen_to(const Field& f, Bytes value, Told& told) {
  if (f.pen != schema::kIana || value.empty() || value.size() > 8) return;
  for (const auto& t : kTold) {
    if (t.element != f.id) continue;
    std::uint64_t number = 0;
    for (const std::uint8_t o : value) number = number << 8 | o;
    told.*t.value = number;
  }
}

void put16(std::vector<std::uint8_t>& to, std::size_t at, std::size_t value) {
  to[at] = static_cast<std::uint8_t>(value >> 8);
  to[at + 1] = static_cast<std::uint8_t>(value);
}

}  // namespace

// libfixbuf is given only what was checked here first: it takes lengths inside template sets for granted, and keeps a
// table for every domain and every unknown element that it is told of.
struct Reader::Library {
  explicit Library(std::uint32_t enterprise_number) : enterprise(enterprise_number), model(make_model(enterprise)) {
    session = fbSessionAlloc(model.get());
    for (std::size_t k = 0; k < schema::kKindCount; ++k) {
      fbTemplate_t* t = make_template(model.get(), memory_fields(k), enterprise);
      add(t, static_cast<std::uint16_t>(kFirstDataSet + k), TRUE);
      scratch[k].resize((schema::kLayouts[k].fixed_octets + 15) / 8);
    }
    fbSessionSetDomain(session, kInnerDomain);
    fbuf = fBufAllocForCollection(session, nullptr);
    fBufSetAutomaticMode(fbuf, FALSE);
  }
  ~Library() { fBufFree(fbuf); }  // and with it the session

  void add(fbTemplate_t* t, std::uint16_t id, gboolean internal) const {
    GError* error = nullptr;
    if (fbSessionAddTemplate(session, internal, id, t, &error) != 0) return;
    const std::string why = error ? error->message : "unknown";
    g_clear_error(&error);
    throw std::runtime_error("cannot prepare to read IPFIX: " + why);
  }

  std::uint32_t enterprise;
  Model model;
  fbSession_t* session = nullptr;
  fBuf_t* fbuf = nullptr;
  std::unordered_set<std::uint16_t> added;                // templates that the session knows already
  std::vector<std::uint8_t> message;                      // the message as it is forwarded
  std::vector<std::shared_ptr<const WireTemplate>> sets;  // whose its sets are, in order
  std::uint32_t sequence = 0;
  std::array<std::vector<std::uint64_t>, schema::kKindCount> scratch;
};

Reader::Reader(std::uint32_t enterprise, RecordReceiver& receiver)
    : receiver_(receiver),
      catalogue_(enterprise),
      pools_(one_of_each()),
      library_(std::make_unique<Library>(enterprise)) {}

Reader::~Reader() = default;

const char* Reader::read(Bytes message) {
  ++counts_.messages;
  counts_.octets += message.size();
  Cursor c(message);
  const std::uint16_t version = c.u16(), length = c.u16();
  c.skip(4);
  const std::uint32_t sequence = c.u32(), domain = c.u32();
  const char* trouble = nullptr;
  if (!c.ok()) trouble = "shorter than a message header";
  if (!trouble && version != kVersion) trouble = "not IPFIX: the version is not 10";
  if (!trouble && length != message.size()) trouble = "the length in the header is not that of the message";
  if (!trouble) {
    library_->message.assign(kHeader, 0);
    library_->sets.clear();
    std::uint64_t records = 0;
    bool countable = true;
    trouble = sort_out(domain, c, records, countable);
    if (!library_->sets.empty()) {
      const char* inner = decode();
      if (!trouble) trouble = inner;
    }
    follow_sequence(domain, sequence, records, countable && !trouble);
  }
  if (trouble) ++counts_.bad_messages;
  return trouble;
}

const char* Reader::sort_out(std::uint32_t domain, Cursor sets, std::uint64_t& records, bool& countable) {
  while (sets.left() > 0) {
    const std::uint16_t id = sets.u16(), length = sets.u16();
    if (!sets.ok()) return "octets behind the last set";
    if (length < kSetHeader) return "a set shorter than its header";
    const Bytes body = sets.take(length - kSetHeader);
    if (!sets.ok()) return "a set longer than the message";
    if (id == 2 || id == 3) {
      if (!catalogue_.learn(domain, id, body)) return "a template that is cut, empty, or one too many";
    } else if (id >= kFirstDataSet) {
      const std::shared_ptr<const WireTemplate> t = catalogue_.find(domain, id);
      if (!t) {  // over UDP it may come later
        ++counts_.sets_without_template;
        countable = false;
      } else if (const char* trouble = sort_out_data(t, body, records)) {
        return trouble;
      }
    }  // RFC 7011 §3.3.2: others are reserved
  }
  return nullptr;
}

const char* Reader::sort_out_data(const Template& wire, Bytes set, std::uint64_t& records) {
  const WireTemplate& t = *wire;
  Cursor c(set);
  std::size_t whole = 0;  // octets of whole records
  std::uint64_t n = 0;
  while (c.left() >= t.least_octets) {
    const Bytes from = c.rest();
    Catalogue::walk(t, c, [&](const Field& f, Bytes value) {
      if (t.options && !t.types) listen_to(f, value, told_);
    });
    if (!c.ok()) break;
    const std::size_t octets = from.size() - c.left();
    if (t.types) catalogue_.learn_name(t, from.first(octets));
    whole += octets;
    ++n;
  }
  records += n;
  if (t.options)
    counts_.options_records += n;
  else if (t.kind == schema::kNone)
    counts_.other_records += n;
  else if (n > 0)
    forward(wire, set.first(whole));
  return c.ok() ? nullptr : "a record longer than its set";
}

void Reader::forward(const Template& t, Bytes records) {
  Library& lib = *library_;
  if (lib.added.insert(t->internal_id).second) {
    fbTemplate_t* wire = make_template(lib.model.get(), t->readable, lib.enterprise);
    lib.add(wire, t->internal_id, FALSE);
  }
  const std::size_t at = lib.message.size();
  lib.message.resize(at + kSetHeader);
  put16(lib.message, at, t->internal_id);
  put16(lib.message, at + 2, records.size() + kSetHeader);
  lib.message.insert(lib.message.end(), records.begin(), records.end());
  lib.sets.push_back(t);
}

const char* Reader::decode() {
  Library& lib = *library_;
  const std::size_t length = lib.message.size();
  put16(lib.message, 0, kVersion);
  put16(lib.message, 2, length);
  put_sequence(lib.message.data(), lib.sequence);
  lib.message[kHeader - 1] = kInnerDomain;
  lib.message.resize(length + kSpare);
  fBufSetBuffer(lib.fbuf, lib.message.data(), length);

  const auto of_id = [&](std::uint16_t id) -> const WireTemplate* {
    for (const Template& t : lib.sets)
      if (t->internal_id == id) return t.get();
    return nullptr;
  };
  GError* error = nullptr;
  bool read = true;
  for (std::uint16_t id = 0; read && fBufNextCollectionTemplate(lib.fbuf, &id, &error);) {
    const WireTemplate* t = of_id(id);
    const std::size_t kind = t ? t->kind : 0;
    std::size_t octets = schema::kLayouts[kind].fixed_octets;
    auto* scratch = reinterpret_cast<std::uint8_t*>(lib.scratch[kind].data());
    read = t && fBufSetInternalTemplate(lib.fbuf, static_cast<std::uint16_t>(kFirstDataSet + kind), &error) &&
           fBufNext(lib.fbuf, scratch, &octets, &error);
    if (!read) break;
    ++lib.sequence;
    deliver(*t);
  }
  hand_over();
  const bool at_end = read && g_error_matches(error, FB_ERROR_DOMAIN, FB_ERROR_EOM);
  g_clear_error(&error);
  if (at_end) return nullptr;
  // Its state is anybody's guess now.
  library_ = std::make_unique<Library>(lib.enterprise);
  return "libfixbuf cannot read a record";
}

void Reader::deliver(const WireTemplate& t) {
  if (t.continuation && continues(t)) return copy(t);
  hand_over();
  held_ = pools_.take(t.kind);
  held_->accept_parts_of_groups();
  copy(t);
}

// A record of more fields than a template may have goes on in the next ones of its message: the same flow and the same
// time, and nothing that was told already.
bool Reader::continues(const WireTemplate& t) const {
  if (!held_ || held_->kind() != t.kind) return false;
  const auto* from = reinterpret_cast<const std::uint8_t*>(library_->scratch[t.kind].data());
  const auto same = [&](std::size_t place) {
    const schema::Place& p = held_->layout().places[place];
    const std::size_t octets = schema::width(schema::kElements[p.element].shape.type);
    return held_->has(place) && std::memcmp(held_->octets(place), from + p.offset, octets) == 0;
  };
  if (!same(place_in<"flow", "flowId">()) || !same(place_in<"flow", "flowEndMicroseconds">())) return false;
  return std::none_of(t.places.begin(), t.places.end(), [&](std::uint8_t place) {
    const schema::Element& e = schema::kElements[held_->layout().places[place].element];
    return held_->has(place) && !has(kKey, e.group);
  });
}

void Reader::hand_over() {
  if (!held_) return;
  ++counts_.records[held_->kind()];
  receiver_.record(*held_);
  pools_.give(std::exchange(held_, nullptr));
}

void Reader::copy(const WireTemplate& t) {
  const auto* from = reinterpret_cast<const std::uint8_t*>(library_->scratch[t.kind].data());
  for (const std::uint8_t place : t.places) {
    const schema::Place& p = held_->layout().places[place];
    const schema::Element& e = schema::kElements[p.element];
    const std::uint8_t* value = from + p.offset;
    if (held_->has(place)) continue;  // of the key
    if (e.is_text()) {
      fbVarfield_t text;
      std::memcpy(&text, value, sizeof text);
      if (text.len > 0) held_->set_text(place, {reinterpret_cast<const char*>(text.buf), text.len});
    } else {
      held_->set_octets(place, value);  // in the order of this machine already
    }
  }
}

void Reader::follow_sequence(std::uint32_t domain, std::uint32_t sequence, std::uint64_t records, bool countable) {
  if (sequences_.size() >= kMostDomains && sequences_.find(domain) == sequences_.end()) return;
  Sequence& s = sequences_[domain];
  const auto ahead = static_cast<std::int32_t>(sequence - s.expected);
  if (s.known && ahead < 0 && ahead > -kNewBeginning) {  // late, or twice: it was counted as lost when it did not come
    ++counts_.reordered_messages;
    s.lost -= std::min(s.lost, records);
    return;
  }
  if (s.known && ahead > 0) s.lost += static_cast<std::uint32_t>(ahead);
  s.known = countable;
  s.expected = sequence + static_cast<std::uint32_t>(records);
}

std::map<std::uint32_t, std::uint64_t> Reader::losses() const {
  std::map<std::uint32_t, std::uint64_t> out;
  for (const auto& [domain, s] : sequences_)
    if (s.lost > 0) out[domain] = s.lost;
  return out;
}

}  // namespace probe::ipfix
