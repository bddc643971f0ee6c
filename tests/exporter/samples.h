// Records with values made up at random, and what they say as text, to compare with what comes back.
#pragma once

#include <map>
#include <random>
#include <string>

#include "exporter/record/record.h"

namespace probe::samples {

std::array<std::size_t, schema::kKindCount> slots(std::size_t n);

// All groups of a kind that can stand in one record: one address family, ports or ICMP.
schema::Groups random_groups(std::mt19937_64&, std::size_t kind);

// Any numeric element, by place; as it is encoded.
void set_number(Record&, std::size_t place, std::uint64_t value);

// A record whose complete groups are exactly `groups`.
Record* make(RecordPools&, std::mt19937_64&, std::size_t kind, schema::Groups groups);

using Values = std::map<std::string, std::string>;
// Name and value of every element of these groups that the record has.
Values values_of(const Record&, const schema::Groups& groups = schema::kAllGroups);

// What the native profile carries of a record.
schema::Groups native_groups(const Record&);

}  // namespace probe::samples
