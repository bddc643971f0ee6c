// What memory holds of a record as fields, and which groups of elements go into a wire template together.
#pragma once

#include "exporter/record/view.h"

namespace probe {

Field field_of(const schema::Element&);

// Fields that memory holds for a kind of record, in the order of its layout.
std::vector<Field> memory_fields(std::size_t kind);

// Of the groups that a record has, those that fit into kMostFields fields, the most important ones first (the order of
// schema::Group). A group that does not fit does not keep smaller ones behind it from the wire.
schema::Groups groups_that_fit(std::size_t kind, schema::Groups groups);

// Groups that no other kind of record has: by them a collector knows the kind.
schema::Groups groups_of_one_kind(std::size_t kind);

}  // namespace probe
