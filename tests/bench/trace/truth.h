// What the trace holds, written beside it: the yardstick of the tests.
//
//   PREFIX.flows.csv       TCP connections
//   PREFIX.tx.csv          transactions
//   PREFIX.directions.csv  both directions of each flow: what a probe must count
//   PREFIX.times.csv       when the first and last octets of requests and responses passed the tap
//   PREFIX.summary.json    totals
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "tests/bench/trace/connection.h"
#include "tests/bench/trace/flow.h"
#include "tests/bench/trace/pcap_file.h"

namespace trace {

struct Totals {
  std::uint64_t http_flows = 0, mysql_flows = 0, dns_queries = 0, dns_replies = 0, dns_unanswered = 0;
  std::uint64_t http_requests = 0, http_pipelined_flows = 0, http_head = 0, http_chunked = 0;
  std::uint64_t mysql_queries = 0, mysql_errors = 0;
  std::uint64_t seen_twice = 0, filled = 0, reordered = 0, repeated_syns = 0, reset_flows = 0, half_open = 0;
  std::uint64_t ipv6_flows = 0, tcp_flows = 0, most_concurrent = 0;
  Micros first = 0, last = 0;
};

// When a message passed the tap.
struct MessageTimes {
  Micros begin = 0;      // any of its octets
  Micros first = 0;      // its first octet
  Micros last = 0;       // its last octet
  Micros complete = 0;   // the octet that passed last: later than `last` if there was a hole
  Micros end_again = 0;  // the last copy of its last octet
  Micros all_again = 0;  // the last copy of any octet
  std::uint64_t octets = 0;
};

// The part of a passage from octet `begin` to octet `end`.
MessageTimes times_of(const Passage& p, std::uint32_t begin, std::uint32_t end);

struct Transaction {
  std::string_view kind;
  unsigned number = 0;
  std::string subject, place, what;  // method, host, URL; command, result, statement; type, name
  int status = 0;
  Micros asked = 0, to_first = 0, to_last = 0;
  MessageTimes request, response;
  std::string outcome;  // rows of a result, addresses of an answer
};

class Truth {
 public:
  explicit Truth(const std::string& prefix);

  void transaction(const Flow& flow, const Transaction& t);
  void connection(const Connection& c, unsigned transactions);
  void datagrams(const Flow& flow);
  std::string finish(const PcapFile& trace);  // the summary

  Totals totals;

 private:
  using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
  static File open(const std::string& path);
  void directions(const Flow& flow, const Connection* c);

  std::string prefix_;
  File flows_, transactions_, directions_, times_;
};

}  // namespace trace
