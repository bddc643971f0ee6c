#include "exporter/ipfix/model.h"

#include <fixbuf/public.h>

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>

namespace probe::ipfix {
namespace {

std::atomic<std::uint64_t> complaints{0};

void count_complaint(const gchar*, GLogLevelFlags, const gchar*, gpointer) { complaints.fetch_add(1); }

bool has_endianness(schema::Type t) {
  return t != schema::Type::text && t != schema::Type::ipv6 && t != schema::Type::mac && t != schema::Type::octets3;
}

bool has_reverse_twin(const schema::Element& e) {
  for (const schema::Element& o : schema::kElements)
    if (o.reverse && o.pen == e.pen && o.id == (e.id | schema::kReverseBit)) return true;
  return false;
}

}  // namespace

std::uint8_t type_number(schema::Type t) {
  switch (t) {
    case schema::Type::u8:
      return FB_UINT_8;
    case schema::Type::u16:
      return FB_UINT_16;
    case schema::Type::u32:
      return FB_UINT_32;
    case schema::Type::u64:
      return FB_UINT_64;
    case schema::Type::ipv4:
      return FB_IP4_ADDR;
    case schema::Type::ipv6:
      return FB_IP6_ADDR;
    case schema::Type::mac:
      return FB_MAC_ADDR;
    case schema::Type::octets3:
      return FB_OCTET_ARRAY;
    case schema::Type::f64:
      return FB_FLOAT_64;
    case schema::Type::milliseconds:
      return FB_DT_MILSEC;
    case schema::Type::microseconds:
      return FB_DT_MICROSEC;
    case schema::Type::text:
      return FB_STRING;
  }
  return FB_OCTET_ARRAY;
}

std::uint8_t semantic_number(schema::Semantics s) {
  switch (s) {
    case schema::Semantics::plain:
      return FB_IE_SEMANTIC(FB_IE_QUANTITY);
    case schema::Semantics::identifier:
      return FB_IE_SEMANTIC(FB_IE_IDENTIFIER);
    case schema::Semantics::delta_counter:
      return FB_IE_SEMANTIC(FB_IE_DELTACOUNTER);
    case schema::Semantics::flags:
      return FB_IE_SEMANTIC(FB_IE_FLAGS);
  }
  return FB_IE_SEMANTIC(FB_IE_DEFAULT);
}

std::uint16_t unit_number(schema::Units u) {
  switch (u) {
    case schema::Units::none:
      return 0;
    case schema::Units::octets:
      return FB_IE_UNITS(FB_UNITS_OCTETS);
    case schema::Units::packets:
      return FB_IE_UNITS(FB_UNITS_PACKETS);
    case schema::Units::microseconds:
      return FB_IE_UNITS(FB_UNITS_MICROSECONDS);
    case schema::Units::milliseconds:
      return FB_IE_UNITS(FB_UNITS_MILLISECONDS);
    case schema::Units::hops:
      return FB_IE_UNITS(FB_UNITS_HOPS);
  }
  return 0;
}

void ModelFree::operator()(fbInfoModel_st* m) const { fbInfoModelFree(m); }

Model make_model(std::uint32_t enterprise) {
  quiet_library();
  Model model(fbInfoModelAlloc());
  for (const schema::Element& e : schema::kElements) {
    if (e.reverse) continue;  // come with their forward twins: FB_IE_F_REVERSIBLE
    const std::uint32_t pen = wire_enterprise(e.pen, enterprise);
    if (e.pen == schema::kIana && fbInfoModelGetElementByID(model.get(), e.id, 0)) continue;
    const std::string name(e.name()), meaning(e.meaning);
    const auto flags = static_cast<std::uint32_t>(
        (has_endianness(e.shape.type) ? FB_IE_F_ENDIAN : 0) | (has_reverse_twin(e) ? FB_IE_F_REVERSIBLE : 0) |
        semantic_number(e.shape.semantics) << 8 | unit_number(e.shape.units) << 16);
    const auto width = static_cast<std::uint16_t>(e.is_text() ? FB_IE_VARLEN : schema::width(e.shape.type));
    fbInfoElement_t ie =
        FB_IE_INIT_FULL(name.c_str(), pen, e.id, width, flags, 0, 0, type_number(e.shape.type), meaning.c_str());
    fbInfoModelAddElement(model.get(), &ie);
  }
  return model;
}

fbTemplate_st* make_template(fbInfoModel_st* model, std::span<const Field> fields, std::uint32_t enterprise) {
  fbTemplate_t* out = fbTemplateAlloc(model);
  for (const Field& f : fields) {
    fbInfoElement_t like = FB_IE_NULL;
    like.ent = wire_enterprise(f.pen, enterprise);
    like.num = f.id;
    like.len = f.octets;
    GError* error = nullptr;
    const bool known = fbInfoModelGetElementByID(model, like.num, like.ent) != nullptr;
    if (known && fbTemplateAppend(out, &like, &error)) continue;
    const std::string why = error ? error->message : "it is not in the model";
    g_clear_error(&error);
    fbTemplateFreeUnused(out);
    throw std::logic_error("element " + std::to_string(f.pen) + "/" + std::to_string(f.id) + ": " + why);
  }
  return out;
}

void quiet_library() {
  static std::once_flag once;
  std::call_once(once, [] { g_log_set_default_handler(count_complaint, nullptr); });
}

std::uint64_t library_complaints() { return complaints.load(); }

}  // namespace probe::ipfix
