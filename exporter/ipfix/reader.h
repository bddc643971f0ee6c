// IPFIX messages in, records out: what the encoder does, backwards. Messages may hold anything.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>

#include "exporter/ipfix/catalogue.h"
#include "exporter/record/record.h"

namespace probe::ipfix {

class RecordReceiver {
 public:
  virtual ~RecordReceiver() = default;
  virtual void record(const Record&) = 0;
};

struct ReaderCounts {
  std::array<std::uint64_t, schema::kKindCount> records{};
  std::uint64_t messages = 0, octets = 0;
  std::uint64_t bad_messages = 0, sets_without_template = 0, options_records = 0, other_records = 0;
  std::uint64_t reordered_messages = 0;
};

// What an exporter told of itself the last time (RFC 7011 §4). Absent: it did not.
struct Told {
  std::optional<std::uint64_t> flows, packets, packets_ignored;  // observed; counted in flows
  std::optional<std::uint64_t> messages, records, octets, records_not_sent;
  bool any() const { return flows || packets || packets_ignored || messages || records || octets || records_not_sent; }
};

// One exporter's stream: a TCP connection, a UDP peer, a file. Not for two threads.
class Reader {
 public:
  Reader(std::uint32_t enterprise, RecordReceiver& receiver);
  ~Reader();

  // One message, whole. Nullptr if it was well-formed, else what was wrong; the records before that are delivered.
  const char* read(Bytes message);

  const ReaderCounts& counts() const { return counts_; }
  const Catalogue& catalogue() const { return catalogue_; }
  const Told& told() const { return told_; }
  std::map<std::uint32_t, std::uint64_t> losses() const;  // records lost by observation domain, where there were any

 private:
  struct Library;
  using Template = std::shared_ptr<const WireTemplate>;
  struct Sequence {
    std::uint32_t expected = 0;
    bool known = false;
    std::uint64_t lost = 0;
  };
  const char* sort_out(std::uint32_t domain, Cursor sets, std::uint64_t& records, bool& countable);
  const char* sort_out_data(const Template&, Bytes set, std::uint64_t& records);
  void forward(const Template&, Bytes records);
  const char* decode();
  void deliver(const WireTemplate&);
  bool continues(const WireTemplate&) const;
  void copy(const WireTemplate&);
  void hand_over();
  void follow_sequence(std::uint32_t domain, std::uint32_t sequence, std::uint64_t records, bool countable);

  RecordReceiver& receiver_;
  Catalogue catalogue_;
  RecordPools pools_;
  Record* held_ = nullptr;  // until it is known that it is not continued
  std::unique_ptr<Library> library_;
  std::map<std::uint32_t, Sequence> sequences_;
  ReaderCounts counts_;
  Told told_;
};

}  // namespace probe::ipfix
