// The other end: receives IPFIX over UDP and TCP or reads it from files, and gives the records to sinks.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exporter/ipfix/reader.h"
#include "exporter/record/sink.h"
#include "exporter/schema/schema.h"

namespace probe {

struct CollectorOptions {
  std::uint32_t enterprise = schema::kDocumentationPen;  // of our own elements, as the exporter is configured
  std::chrono::milliseconds stop_when_idle{0};           // run() ends when nothing came for so long; 0: never
};

struct CollectorReport {
  std::array<std::uint64_t, schema::kKindCount> records{};  // by kind
  std::uint64_t messages = 0, octets = 0;
  std::uint64_t lost_records = 0;  // told by sequence numbers
  std::uint64_t reordered_messages = 0;
  std::uint64_t bad_messages = 0;  // not IPFIX, or their structure is broken: ignored from that point on
  std::uint64_t sets_without_template = 0;
  std::uint64_t options_records = 0;  // type records and other metadata: understood or skipped, not printed
  std::uint64_t ignored_fields = 0;   // fields of templates whose elements no record of ours has
  std::uint64_t other_records = 0;    // data records that are no flow and no transaction
  struct Loss {
    std::string peer;
    std::uint32_t domain;
    std::uint64_t records;
  };
  std::vector<Loss> losses;  // per peer and observation domain, where there were any
  struct Exporter {
    std::string peer;
    ipfix::Told told;
  };
  std::vector<Exporter> exporters;    // those that told of themselves
  std::vector<std::string> ignored;   // names of these elements as far as type records told them, a few dozen at most
  std::vector<std::string> troubles;  // sentences for people, the first few
  std::uint64_t all_records() const {
    std::uint64_t n = 0;
    for (const auto r : records) n += r;
    return n;
  }
};

class Collector {
 public:
  Collector(const CollectorOptions& options, std::vector<Sink*> sinks);
  ~Collector();

  // udp://[HOST]:PORT or tcp://[HOST]:PORT; port 0 takes a free one. Returns the port. Throws a sentence.
  std::uint16_t listen(std::string_view url);

  // Receives until `stop` is set or nothing came for stop_when_idle. Sinks get turn() and flush(), not finish().
  void run(const std::atomic<bool>& stop);

  // RFC 5655. False if the file is damaged: all records before the damage were given to the sinks, and the report's
  // troubles say where. Throws a sentence if it cannot be read at all.
  bool read_file(const std::string& path);

  CollectorReport report() const;  // after run() or read_file()

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace probe
