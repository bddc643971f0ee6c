#include "exporter/collector/ledger.h"

namespace probe {
namespace {
constexpr std::size_t kMostTroubles = 20, kMostIgnored = 64, kMostLosses = 256, kMostExporters = 256;
}

void Ledger::add(const std::string& peer, const ipfix::Reader& reader) {
  const ipfix::ReaderCounts& c = reader.counts();
  for (std::size_t k = 0; k < schema::kKindCount; ++k) sum_.records[k] += c.records[k];
  sum_.messages += c.messages;
  sum_.octets += c.octets;
  sum_.bad_messages += c.bad_messages;
  sum_.sets_without_template += c.sets_without_template;
  sum_.options_records += c.options_records;
  sum_.other_records += c.other_records;
  sum_.reordered_messages += c.reordered_messages;
  sum_.ignored_fields += reader.catalogue().ignored_fields();
  for (const auto& [domain, records] : reader.losses()) {
    sum_.lost_records += records;
    if (sum_.losses.size() < kMostLosses) sum_.losses.push_back({peer, domain, records});
  }
  if (reader.told().any() && sum_.exporters.size() < kMostExporters) sum_.exporters.push_back({peer, reader.told()});
  for (std::string& name : reader.catalogue().ignored_names())
    if (ignored_.size() < kMostIgnored) ignored_.insert(std::move(name));
}

void Ledger::trouble(std::string sentence) {
  if (++troubles_ < kMostTroubles) sum_.troubles.push_back(std::move(sentence));
  if (troubles_ == kMostTroubles) sum_.troubles.emplace_back("… and more of the kind");
}

CollectorReport Ledger::report() const {
  CollectorReport out = sum_;
  out.ignored.assign(ignored_.begin(), ignored_.end());
  return out;
}

}  // namespace probe
