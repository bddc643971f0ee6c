// The element table, told to libfixbuf.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "exporter/record/view.h"

struct fbInfoModel_st;
struct fbTemplate_st;

namespace probe::ipfix {

struct ModelFree {
  void operator()(fbInfoModel_st*) const;
};
using Model = std::unique_ptr<fbInfoModel_st, ModelFree>;

// All of IANA's elements that libfixbuf or our table knows, and our own under `enterprise`.
Model make_model(std::uint32_t enterprise);

// The number an element has on the wire.
inline std::uint32_t wire_enterprise(std::uint32_t pen, std::uint32_t enterprise) {
  return pen == schema::kDocumentationPen ? enterprise : pen;
}

// Owned by the session that it is added to. Throws if a field is not in the model: a mistake in the element table.
fbTemplate_st* make_template(fbInfoModel_st* model, std::span<const Field> fields, std::uint32_t enterprise);

// What libfixbuf calls a type, a semantic and a unit is what RFC 5610 calls them too.
std::uint8_t type_number(schema::Type);
std::uint8_t semantic_number(schema::Semantics);
std::uint16_t unit_number(schema::Units);

// libfixbuf tells its troubles through GLib's log. They are counted instead of printed; call before the first use.
void quiet_library();
std::uint64_t library_complaints();

}  // namespace probe::ipfix
