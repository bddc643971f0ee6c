#include "exporter/ipfix/encoder.h"

#include <fixbuf/public.h>

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <ctime>
#include <deque>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>

#include "exporter/ipfix/model.h"
#include "exporter/ipfix/packing.h"
#include "exporter/ipfix/statistics.h"
#include "exporter/ipfix/types.h"

namespace probe::ipfix {

static_assert(sizeof(fbVarfield_t) == schema::width(schema::Type::text) && offsetof(fbVarfield_t, buf) == 8);

namespace {

constexpr std::size_t kHeader = 16, kSetHeader = 4;
constexpr std::size_t kBuffer = 65535;  // the longest message there is (RFC 7011 §3.1)
constexpr std::uint16_t kFirstId = 256;
// What a collector is asked to remember at most. Beyond it records keep only what they cannot do without.
constexpr std::size_t kMostTemplates = 1000;
constexpr std::size_t kMostViews = 8;

void check(bool ok, GError* error) {
  if (ok) return;
  const std::string why = error ? error->message : "unknown";
  g_clear_error(&error);
  throw std::runtime_error("cannot encode IPFIX: " + why);
}

struct Key {
  std::size_t layout = schema::kNone;
  schema::Groups groups;
  auto operator<=>(const Key&) const = default;
};

// A session of libfixbuf that writes into memory.
class Session {
 public:
  Session(fbInfoModel_t* model, std::uint32_t domain) : buffer_(kBuffer), session_(fbSessionAlloc(model)) {
    fbSessionSetDomain(session_, domain);  // before templates are added: they belong to a domain
    exporter_ = fbExporterAllocBuffer(buffer_.data(), static_cast<std::uint16_t>(kBuffer));
    fbuf_ = fBufAllocForExport(session_, exporter_);
  }
  ~Session() { fBufFree(fbuf_); }  // and with it the session and the exporter
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // A template for memory; or for messages, which is written into the one that is begun.
  void add(std::uint16_t id, bool memory, fbTemplate_t* t) {
    GError* error = nullptr;
    check(fbSessionAddTemplate(session_, memory, id, t, &error) != 0, error);
  }
  void write_template(std::uint16_t id) {
    GError* error = nullptr;
    check(fbSessionExportTemplate(session_, id, &error), error);
  }
  void append(std::uint16_t id, std::byte* block, std::size_t octets) {
    GError* error = nullptr;
    if (id != current_) {
      check(fBufSetInternalTemplate(fbuf_, id, &error), error);
      check(fBufSetExportTemplate(fbuf_, id, &error), error);
      current_ = id;
    }
    check(fBufAppend(fbuf_, reinterpret_cast<std::uint8_t*>(block), octets, &error), error);
  }
  // Ends the message; it is valid until the next one.
  std::span<std::uint8_t> emit() {
    GError* error = nullptr;
    check(fBufEmit(fbuf_, &error), error);
    return {buffer_.data(), fbExporterGetMsgLen(exporter_)};
  }

 private:
  std::vector<std::uint8_t> buffer_;
  fbSession_t* session_;
  fbExporter_t* exporter_;
  fBuf_t* fbuf_;
  std::uint16_t current_ = 0;  // template of the record before
};

}  // namespace

struct Encoder::Template {
  Packing packing;
  std::uint16_t id = 0;
  std::uint32_t left_out = 0;   // groups that are not in it
  std::size_t wire_octets = 0;  // of the template itself
};

// Data records and templates are written by sessions of their own, under the same ids: the one for data knows how
// records are packed, the other what they mean. Collectors get the data of the first and the templates of the second.
struct Encoder::Library {
  explicit Library(const EncoderOptions& o)
      : model(make_model(o.enterprise)), data(model.get(), o.domain), meaning(model.get(), o.domain) {}

  Model model;
  Session data, meaning;
  std::deque<Template> templates;
  std::map<Key, Template*> by_key;      // every set of groups that was seen
  std::map<Key, Template*> by_content;  // those that are in the template
  struct Recent {
    Key key;
    const Template* value = nullptr;
  };
  static constexpr int kRecentBits = 8;
  std::array<Recent, 1 << kRecentBits> recent;  // of by_key, at the hash of the key
  std::vector<std::byte> blocks[kMostViews];    // packed records
};

Encoder::Encoder(const EncoderOptions& options, const Shapes& shapes, MessageReceiver& receiver)
    : options_(options), shapes_(shapes), receiver_(receiver), library_(std::make_unique<Library>(options)) {}

Encoder::~Encoder() = default;

std::uint32_t Encoder::now() const { return time_ != 0 ? time_ : static_cast<std::uint32_t>(std::time(nullptr)); }
std::size_t Encoder::template_count() const { return library_->templates.size(); }

const Encoder::Template& Encoder::template_for(const RecordView& view) {
  const Key key{view.layout, view.groups};
  Library::Recent& r = library_->recent[(key.groups.hash() + key.layout) >> (64 - Library::kRecentBits)];
  if (r.key != key) r = {key, &known_or_new(view)};
  return *r.value;
}

const Encoder::Template& Encoder::known_or_new(const RecordView& view) {
  Library& lib = *library_;
  if (const auto found = lib.by_key.find({view.layout, view.groups}); found != lib.by_key.end()) return *found->second;
  const Shape shape = shapes_.shape(view.layout, view.groups, lib.templates.size() >= kMostTemplates);
  Template*& same = lib.by_content[{view.layout, shape.groups}];
  if (!same) same = &add(view.layout, shape);
  // Sets of groups are remembered too, within a bound: they cost no collector anything.
  if (lib.by_key.size() >= 64 * kMostTemplates) lib.by_key.clear();
  lib.by_key[{view.layout, view.groups}] = same;
  return *same;
}

Encoder::Template& Encoder::add(std::size_t layout, const Shape& shape) {
  flush();
  Library& lib = *library_;
  const auto id = static_cast<std::uint16_t>(kFirstId + lib.templates.size());
  Template& t = lib.templates.emplace_back(Template{{shapes_.layouts()[layout], shape.fields}, id, shape.left_out});
  t.wire_octets = 4;
  for (const Field& f : shape.fields) t.wire_octets += f.pen == schema::kIana ? 4 : 8;
  for (auto& block : lib.blocks) block.resize(std::max(block.size(), t.packing.block_octets()));

  const auto make = [&](std::span<const Field> fields) {
    return make_template(lib.model.get(), fields, options_.enterprise);
  };
  lib.data.add(id, true, make(t.packing.block_fields()));
  lib.data.add(id, false, make(t.packing.message_fields()));
  lib.data.emit();  // the packed template goes nowhere
  lib.meaning.add(id, false, make(shape.fields));
  send(lib.meaning.emit(), {});
  return t;
}

void Encoder::append(std::span<const RecordView> views) {
  if (views.empty()) return;
  Library& lib = *library_;
  const std::size_t count = std::min(views.size(), kMostViews);
  const Template* templates[kMostViews] = {};
  std::size_t sizes[kMostViews] = {}, octets = 0;
  for (std::size_t i = 0; i < count; ++i) {
    templates[i] = &template_for(views[i]);
    sizes[i] = templates[i]->packing.pack(views[i].body, lib.blocks[i].data());
    octets += sizes[i] + kSetHeader;
  }
  if (used_ != 0 && used_ + octets > options_.message_octets) flush();

  for (std::size_t i = 0; i < count; ++i) {
    const Template& t = *templates[i];
    lib.data.append(t.id, lib.blocks[i].data(), t.packing.block_octets());
    used_ += sizes[i] + (used_ == 0 ? kHeader : 0) + (last_id_ != t.id ? kSetHeader : 0);
    last_id_ = t.id;
    left_out_ += t.left_out;
    ++info_.data_records;
  }
  ++info_.records;
}

void Encoder::flush() {
  if (used_ == 0) return;
  used_ = 0;
  last_id_ = 0;
  send(library_->data.emit(), std::exchange(info_, {}));
}

void Encoder::send(std::span<std::uint8_t> message, const MessageInfo& info) {
  put_export_time(message.data(), now());
  put_sequence(message.data(), sequence_);  // data and templates count as one (RFC 7011 §3.1)
  sequence_ += info.data_records;
  receiver_.message(message, info);
}

void Encoder::templates() {
  flush();
  std::size_t used = 0;
  for (const Template& t : library_->templates) {
    if (used != 0 && used + t.wire_octets > options_.message_octets) {
      send(library_->meaning.emit(), {});
      used = 0;
    }
    library_->meaning.write_template(t.id);
    used += t.wire_octets + (used == 0 ? kHeader + kSetHeader : 0);
  }
  if (used != 0) send(library_->meaning.emit(), {});
}

void Encoder::types() {
  flush();
  write_types(options_, now(), type_sequence_, receiver_);
}

void Encoder::statistics(const ProcessStatistics& s, bool templates) {
  flush();
  write_statistics(options_, now(), s, templates, type_sequence_, receiver_);
}

}  // namespace probe::ipfix
