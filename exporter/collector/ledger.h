// What all streams of a collector add up to.
#pragma once

#include <set>
#include <string>

#include "exporter/collector/collector.h"
#include "exporter/ipfix/reader.h"

namespace probe {

class Ledger {
 public:
  // What a stream was, once it is over; or so far, into a copy.
  void add(const std::string& peer, const ipfix::Reader& reader);
  void trouble(std::string sentence);
  CollectorReport report() const;

 private:
  CollectorReport sum_;
  std::set<std::string> ignored_;
  std::uint64_t troubles_ = 0;
};

}  // namespace probe
