#include "exporter/ipfix/encoder.h"

#include <fixbuf/public.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <deque>
#include <map>
#include <stdexcept>
#include <string>
#include <unordered_map>

#include "exporter/ipfix/model.h"
#include "exporter/ipfix/types.h"

namespace probe::ipfix {

static_assert(sizeof(fbVarfield_t) == schema::width(schema::Type::text) && offsetof(fbVarfield_t, buf) == 8);

namespace {

constexpr std::size_t kHeader = 16, kSetHeader = 4;
constexpr std::size_t kBuffer = 65535;  // the longest message there is (RFC 7011 §3.1)
constexpr std::uint16_t kFirstId = 256;
// What a collector is asked to remember at most. Beyond it records keep only what they cannot do without.
constexpr std::size_t kMostTemplates = 1000;

void check(bool ok, GError* error) {
  if (ok) return;
  const std::string why = error ? error->message : "unknown";
  g_clear_error(&error);
  throw std::runtime_error("cannot encode IPFIX: " + why);
}

struct Key {
  std::size_t layout;
  schema::Groups groups;
  bool operator==(const Key&) const = default;
  auto operator<=>(const Key&) const = default;
};
struct KeyHash {
  std::size_t operator()(const Key& k) const {
    std::uint64_t h = (k.groups + k.layout) * 0x9e3779b97f4a7c15;
    return h ^ h >> 32;
  }
};

std::size_t memory_octets(const Field& f) { return f.octets == kVariableLength ? sizeof(fbVarfield_t) : f.octets; }

}  // namespace

struct Encoder::Template {
  std::uint16_t id = 0;
  std::uint16_t internal = 0;
  std::uint32_t octets = 0;          // of a record, without the octets of texts
  std::uint32_t memory = 0;          // of a record in memory
  std::uint32_t left_out = 0;        // groups that did not fit
  std::vector<std::uint32_t> texts;  // where texts of the template stand in memory
  std::size_t wire_octets = 0;       // of the template itself

  std::size_t size(const std::byte* body) const {
    std::size_t n = octets;
    for (const std::uint32_t at : texts) {
      std::size_t length = 0;
      std::memcpy(&length, body + at, sizeof length);
      n += length + (length < 255 ? 1 : 3);  // RFC 7011 §7
    }
    return n;
  }
};

struct Encoder::Library {
  explicit Library(const EncoderOptions& o) : model(make_model(o.enterprise)), buffer(kBuffer) {
    session = fbSessionAlloc(model.get());
    fbSessionSetDomain(session, o.domain);  // before templates are added: they belong to a domain
    exporter = fbExporterAllocBuffer(buffer.data(), static_cast<std::uint16_t>(kBuffer));
    fbuf = fBufAllocForExport(session, exporter);
  }
  ~Library() { fBufFree(fbuf); }  // and with it the session and the exporter

  Model model;
  std::vector<std::uint8_t> buffer;
  fbSession_t* session = nullptr;
  fbExporter_t* exporter = nullptr;
  fBuf_t* fbuf = nullptr;
  std::uint16_t internal = 0, external = 0;  // as set in fbuf
  std::deque<Template> templates;
  std::unordered_map<Key, Template*, KeyHash> by_key;  // every set of groups that was seen
  std::map<Key, Template*> by_content;                 // those that are in the template
};

Encoder::Encoder(const EncoderOptions& options, const Shapes& shapes, MessageReceiver& receiver)
    : options_(options), shapes_(shapes), receiver_(receiver), library_(std::make_unique<Library>(options)) {
  std::uint16_t id = kFirstId;
  for (const auto& fields : shapes.layouts()) {
    GError* error = nullptr;
    fbTemplate_t* t = make_template(library_->model.get(), fields, options.enterprise);
    check(fbSessionAddTemplate(library_->session, TRUE, id++, t, &error) != 0, error);
  }
}

Encoder::~Encoder() = default;

std::uint32_t Encoder::now() const { return time_ != 0 ? time_ : static_cast<std::uint32_t>(std::time(nullptr)); }
std::size_t Encoder::template_count() const { return library_->templates.size(); }

const Encoder::Template& Encoder::template_for(const RecordView& view) {
  const auto found = library_->by_key.find({view.layout, view.groups});
  return found != library_->by_key.end() ? *found->second : create(view);
}

const Encoder::Template& Encoder::create(const RecordView& view) {
  Library& lib = *library_;
  const Shape shape = shapes_.shape(view.layout, view.groups, lib.templates.size() >= kMostTemplates);
  Template*& same = lib.by_content[{view.layout, shape.groups}];
  if (!same) {
    flush();
    Template& t = lib.templates.emplace_back();
    t.id = static_cast<std::uint16_t>(kFirstId + lib.templates.size() - 1);
    t.internal = static_cast<std::uint16_t>(kFirstId + view.layout);
    t.left_out = shape.left_out;
    t.wire_octets = 4;
    for (const Field& f : shape.fields) {
      t.wire_octets += f.pen == schema::kIana ? 4 : 8;
      if (f.octets != kVariableLength) t.octets += f.octets;
    }
    for (const Field& f : shapes_.layouts()[view.layout]) {
      const bool sent = std::find(shape.fields.begin(), shape.fields.end(), f) != shape.fields.end();
      if (f.octets == kVariableLength && sent) t.texts.push_back(t.memory);
      t.memory += static_cast<std::uint32_t>(memory_octets(f));
    }
    GError* error = nullptr;
    fbTemplate_t* wire = make_template(lib.model.get(), shape.fields, options_.enterprise);
    check(fbSessionAddTemplate(lib.session, FALSE, t.id, wire, &error) != 0, error);  // and writes it
    emit({});
    same = &t;
  }
  // Sets of groups are remembered too, within a bound: they cost no collector anything.
  if (lib.by_key.size() >= 64 * kMostTemplates) lib.by_key.clear();
  lib.by_key[{view.layout, view.groups}] = same;
  return *same;
}

void Encoder::append(std::span<const RecordView> views) {
  if (views.empty()) return;
  const Template* templates[2] = {};
  std::size_t octets = 0;
  for (std::size_t i = 0; i < views.size() && i < std::size(templates); ++i) {
    templates[i] = &template_for(views[i]);
    octets += templates[i]->size(views[i].body) + kSetHeader;
  }
  if (used_ != 0 && used_ + octets > options_.message_octets) flush();

  Library& lib = *library_;
  for (std::size_t i = 0; i < views.size() && i < std::size(templates); ++i) {
    const Template& t = *templates[i];
    GError* error = nullptr;
    if (lib.internal != t.internal) check(fBufSetInternalTemplate(lib.fbuf, t.internal, &error), error);
    if (lib.external != t.id) check(fBufSetExportTemplate(lib.fbuf, t.id, &error), error);
    lib.internal = t.internal;
    lib.external = t.id;
    auto* body = reinterpret_cast<std::uint8_t*>(const_cast<std::byte*>(views[i].body));  // it is only read
    check(fBufAppend(lib.fbuf, body, t.memory, &error), error);
    used_ += t.size(views[i].body) + (used_ == 0 ? kHeader : 0) + (last_id_ != t.id ? kSetHeader : 0);
    last_id_ = t.id;
    left_out_ += t.left_out;
    ++info_.data_records;
  }
  ++info_.records;
}

void Encoder::flush() {
  if (used_ == 0) return;
  emit(info_);
}

void Encoder::emit(MessageInfo info) {
  GError* error = nullptr;
  check(fBufEmit(library_->fbuf, &error), error);
  sequence_ += info.data_records;
  used_ = 0;
  last_id_ = 0;
  info_ = {};
  const std::size_t length = fbExporterGetMsgLen(library_->exporter);
  std::uint8_t* octets = library_->buffer.data();
  put_export_time(octets, now());
  receiver_.message({octets, length}, info);
}

void Encoder::templates() {
  flush();
  std::size_t used = 0;
  for (const Template& t : library_->templates) {
    if (used != 0 && used + t.wire_octets > options_.message_octets) {
      emit({});
      used = 0;
    }
    GError* error = nullptr;
    check(fbSessionExportTemplate(library_->session, t.id, &error), error);
    used += t.wire_octets + (used == 0 ? kHeader + kSetHeader : 0);
  }
  if (used != 0) emit({});
}

void Encoder::types() {
  flush();
  write_types(options_, now(), type_sequence_, receiver_);
}

}  // namespace probe::ipfix
