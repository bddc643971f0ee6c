#include "tests/bench/trace/truth.h"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace trace {
namespace {

using ull = unsigned long long;

const char* name_of(Kind kind) {
  static constexpr std::array<const char*, 3> kNames = {"http", "mysql", "dns"};
  return kNames[static_cast<std::size_t>(kind)];
}

struct Counts {
  std::uint64_t packets = 0, octets = 0;
  Micros first = 0, last = 0;
  unsigned flags = 0;
};

std::uint64_t ip_octets(const Flow& flow, const Event& e) {
  const std::uint64_t payload = e.text.size() + e.fill + (flow.ipv6 ? 40 : 20);
  if (flow.kind == Kind::dns) return payload + 8;
  const std::uint64_t options = e.flags & kSyn ? (flow.timestamps ? 20 : 12) : flow.timestamps ? 12 : 0;
  return payload + 20 + options;
}

Counts counts_of(const Flow& flow, int way) {
  Counts c;
  for (const Event& e : flow.events) {
    if (e.way != way) continue;
    if (c.packets++ == 0) c.first = e.time;
    c.last = std::max(c.last, e.time);
    c.octets += ip_octets(flow, e);
    c.flags |= e.flags;
  }
  return c;
}

void write_message(std::FILE* f, const MessageTimes& m) {
  for (const std::uint64_t v : {m.begin, m.first, m.last, m.complete, m.end_again, m.all_again, m.octets})
    std::fprintf(f, ",%llu", ull{v});
}

}  // namespace

MessageTimes times_of(const Passage& p, std::uint32_t begin, std::uint32_t end) {
  MessageTimes t;
  t.octets = end - begin;
  for (const Passage::Segment& s : p.segments) {  // in the order of time
    if (s.end() <= begin || s.offset >= end) continue;
    const bool again = s.fate == Passage::Segment::Fate::repeated;
    if (t.begin == 0) t.begin = s.time;
    if (!again) t.complete = s.time;
    t.all_again = s.time;
    if (s.offset <= begin && t.first == 0) t.first = s.time;
    if (s.end() < end) continue;
    if (t.last == 0) t.last = s.time;
    t.end_again = s.time;
  }
  return t;
}

Truth::File Truth::open(const std::string& path) {
  File f(std::fopen(path.c_str(), "w"), &std::fclose);
  if (!f) throw std::runtime_error("cannot write " + path);
  return f;
}

Truth::Truth(const std::string& prefix)
    : prefix_(prefix),
      flows_(open(prefix + ".flows.csv")),
      transactions_(open(prefix + ".tx.csv")),
      directions_(open(prefix + ".directions.csv")),
      times_(open(prefix + ".times.csv")) {
  std::fputs("id,kind,ipv,cip,cport,sip,sport,t0_us,srv_rtt_us,cli_rtt_us,ntx,rtx_seen_dup,rtx_hole_fill,reordered\n",
             flows_.get());
  std::fputs("flow,kind,i,method_or_qtype,host_or_result,url_or_sql,status,t_req_end_us,ttfb_us,ttlb_us\n",
             transactions_.get());
  std::fputs(
      "flow,kind,ipv,client,client_port,server,server_port,timestamps,way,packets,octets,first,last,flags,repeated_"
      "syns,"
      "seen_twice,filled,filled_unseen,reordered,reordered_newer,repeated_octets\n",
      directions_.get());
  std::string header = "flow,kind,i";
  for (const char* message : {"request", "response"})
    for (const char* what : {"begin", "first", "last", "complete", "end_again", "all_again", "octets"})
      header += std::string(",") + message + "_" + what;
  std::fputs((header + ",outcome\n").c_str(), times_.get());
}

void Truth::transaction(const Flow& flow, const Transaction& t) {
  const bool sql = flow.kind == Kind::mysql;
  const char* quote = sql ? "\"" : "";
  std::fprintf(transactions_.get(), "%u,%s,%u,%s,%s,%s%s%s,%d,%llu,%llu,%llu\n", flow.id, name_of(flow.kind), t.number,
               t.subject.c_str(), t.place.c_str(), quote, t.what.c_str(), quote, t.status, ull{t.asked},
               ull{t.to_first}, ull{t.to_last});
  std::fprintf(times_.get(), "%u,%s,%u", flow.id, name_of(flow.kind), t.number);
  write_message(times_.get(), t.request);
  write_message(times_.get(), t.response);
  std::fprintf(times_.get(), ",%s\n", t.outcome.c_str());
}

void Truth::connection(const Connection& c, unsigned count) {
  const Flow& f = c.flow;
  const auto both = [&](std::uint32_t Impairments::*what) { return c.impaired[kUp].*what + c.impaired[kDown].*what; };
  const std::uint32_t seen_twice = both(&Impairments::seen_twice), filled = both(&Impairments::filled),
                      reordered = both(&Impairments::reordered);
  std::fprintf(flows_.get(), "%u,%s,%d,%08x,%u,%08x,%u,%llu,%.0f,%.0f,%u,%u,%u,%u\n", f.id, name_of(f.kind),
               f.ipv6 ? 6 : 4, f.client_address, f.client_port, f.server_address, f.server_port, ull{f.start},
               c.server_rtt, c.client_rtt, count, seen_twice, filled, reordered);
  totals.seen_twice += seen_twice;
  totals.filled += filled;
  totals.reordered += reordered;
  totals.repeated_syns += c.repeated_syns;
  totals.reset_flows += c.refused || c.was_reset;
  totals.half_open += c.unanswered;
  directions(f, &c);
}

void Truth::datagrams(const Flow& flow) { directions(flow, nullptr); }

void Truth::directions(const Flow& f, const Connection* c) {
  for (const int way : {kUp, kDown}) {
    const Counts n = counts_of(f, way);
    const Impairments i = c ? c->impaired[way] : Impairments();
    std::fprintf(directions_.get(), "%u,%s,%d,%08x,%u,%08x,%u,%d,%s,%llu,%llu,%llu,%llu,%u,%u,%u,%u,%u,%u,%u,%llu\n",
                 f.id, name_of(f.kind), f.ipv6 ? 6 : 4, f.client_address, f.client_port, f.server_address,
                 f.server_port, f.timestamps, way == kUp ? "up" : "down", ull{n.packets}, ull{n.octets}, ull{n.first},
                 ull{n.last}, n.flags, c && way == kUp ? c->repeated_syns : 0, i.seen_twice, i.filled, i.filled_unseen,
                 i.reordered, i.reordered_newer, ull{i.repeated_octets});
  }
}

std::string Truth::finish(const PcapFile& trace) {
  std::string s = "{";
  const auto add = [&s](const char* name, std::uint64_t value) {
    s += (s.size() > 1 ? ",\"" : "\"") + std::string(name) + "\":" + std::to_string(value);
  };
  const auto add_tenths = [&s](const char* name, double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", value);
    s += ",\"" + std::string(name) + "\":" + text;
  };
  const Totals& t = totals;
  add("packets", trace.packets());
  add("wire_bytes", trace.octets());
  add_tenths("avg_pkt", static_cast<double>(trace.octets()) / static_cast<double>(trace.packets()));
  add_tenths("span_s", static_cast<double>(t.last - t.first) / 1e6);
  add("max_concurrent_flows", t.most_concurrent);
  add("tcp_flows", t.tcp_flows);
  add("http_flows", t.http_flows);
  add("mysql_flows", t.mysql_flows);
  add("v6_flows", t.ipv6_flows);
  add("tcp_pkts", trace.tcp_packets());
  add("udp_pkts", trace.udp_packets());
  add("http_requests", t.http_requests);
  add("http_pipelined_flows", t.http_pipelined_flows);
  add("http_head", t.http_head);
  add("http_chunked", t.http_chunked);
  add("mysql_queries", t.mysql_queries);
  add("mysql_errors", t.mysql_errors);
  add("dns_queries", t.dns_queries);
  add("dns_replies", t.dns_replies);
  add("dns_unanswered", t.dns_unanswered);
  add("rtx_seen_twice", t.seen_twice);
  add("rtx_hole_fill", t.filled);
  add("reordered", t.reordered);
  add("syn_rtx", t.repeated_syns);
  add("rst_flows", t.reset_flows);
  add("half_open", t.half_open);
  s += "}\n";
  std::fputs(s.c_str(), open(prefix_ + ".summary.json").get());
  return s;
}

}  // namespace trace
