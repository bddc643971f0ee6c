// What memory holds of a record as fields, and which groups of elements go into a wire template together.
#pragma once

#include "exporter/record/view.h"

namespace probe {

Field field_of(const schema::Element&);

// Fields that memory holds for a kind of record, in the order of its layout.
std::vector<Field> memory_fields(std::size_t kind);

// In each continuation of a record: what it continues.
inline constexpr schema::Groups kKey =
    schema::bit_of(schema::Group::identity, schema::Group::ipv4, schema::Group::ipv6, schema::Group::ports,
                   schema::Group::icmpv4, schema::Group::icmpv6, schema::Group::interval);

// How a record of this kind is dealt out if it has more than kMostFields fields: the key and some more groups in each
// part, the most important ones first (the order of schema::Group). Whatever of a part a record has, it fits. The parts
// are always the same ones, so that there are few templates.
const std::vector<schema::Groups>& parts_of(std::size_t kind);

std::size_t count_fields(std::size_t kind, const schema::Groups& groups);

// Groups that no other kind of record has: by them a collector knows the kind.
schema::Groups groups_of_one_kind(std::size_t kind);

}  // namespace probe
