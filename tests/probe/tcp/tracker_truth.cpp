// Runs the tracker over a made trace and compares each direction of each connection with what the maker knows.
//
//   tracker_truth TRACE.pcap PREFIX     PREFIX.directions.csv and PREFIX.flows.csv are gen_trace's
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "probe/io/capture.h"
#include "probe/packet/decoder.h"
#include "probe/tcp/tracker.h"

namespace {

using namespace probe;
using tcp::Sender;

struct Connection {
  explicit Connection(tcp::TroublesPool& troubles) : tracker(troubles) {}
  tcp::Tracker tracker;
  std::uint32_t packets[2] = {};
};

struct Hash {
  std::size_t operator()(const FlowKey& k) const { return k.hash(); }
};
using Connections = std::unordered_map<FlowKey, Connection, Hash>;

Connections follow(const std::string& path, tcp::TroublesPool& troubles) {
  Counters counters;
  const auto capture = io::Capture::open(path, counters);
  Decoder decoder({}, counters);
  Connections connections;
  std::vector<Frame> frames(64);
  Packet p;
  while (const std::size_t n = capture->read(frames)) {
    decoder.new_burst();
    for (std::size_t i = 0; i < n; ++i) {
      if (!decoder.decode(frames[i], p) || !p.is_tcp()) continue;
      Connection& c = connections.try_emplace(p.key, troubles).first->second;
      c.tracker.on_segment(p, p.from_high);
      ++c.packets[p.from_high];
    }
  }
  return connections;
}

// A row of a table, by the names of its columns.
using Row = std::map<std::string, std::string>;

std::vector<Row> table(const std::string& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error(path + " cannot be read");
  std::vector<std::string> names;
  std::vector<Row> rows;
  for (std::string line, cell; std::getline(in, line);) {
    std::istringstream cells(line);
    std::vector<std::string> values;
    while (std::getline(cells, cell, ',')) values.push_back(cell);
    if (names.empty()) {
      names = values;
      continue;
    }
    Row& row = rows.emplace_back();
    for (std::size_t i = 0; i < names.size() && i < values.size(); ++i) row[names[i]] = values[i];
  }
  return rows;
}

Endpoint endpoint(const std::string& version, const std::string& word, const std::string& port, std::uint64_t network) {
  Endpoint e;
  e.address.low = std::stoul(word, nullptr, 16);
  if (version == "6") e.address.high = 0x20010db800000000ULL | network;
  e.port = static_cast<std::uint16_t>(std::stoul(port));
  return e;
}

// The connection of a row, and which sender its client is.
struct Found {
  Connection& connection;
  Sender client;
};

Found find(Connections& connections, const Row& row, const char* client, const char* client_port, const char* server,
           const char* server_port) {
  const std::string& version = row.at("ipv");
  const Endpoint c = endpoint(version, row.at(client), row.at(client_port), 0x00010000);
  const Endpoint s = endpoint(version, row.at(server), row.at(server_port), 0x00020000);
  const bool client_low = c < s;
  const Endpoint &low = client_low ? c : s, &high = client_low ? s : c;
  FlowKey key;
  key.low_address = low.address;
  key.high_address = high.address;
  key.low_port = low.port;
  key.high_port = high.port;
  key.protocol = ip_protocol::kTcp;
  key.ip_version = static_cast<std::uint8_t>(std::stoul(version));
  return {connections.at(key), client_low ? 0u : 1u};
}

class Judge {
 public:
  void equal(const Row& row, const char* what, double expected, double got, double tolerance = 0) {
    ++checks_;
    if (std::abs(expected - got) <= tolerance) return;
    if (++faults_ > 20) return;
    std::printf("flow %s %s: %s should be %.0f, is %.0f\n",
                (row.contains("flow") ? row.at("flow") : row.at("id")).c_str(), row.at("kind").c_str(), what, expected,
                got);
  }
  bool report() const {
    std::printf("%zu checks, %zu disagree\n", checks_, faults_);
    return checks_ > 0 && faults_ == 0;
  }

 private:
  std::size_t checks_ = 0, faults_ = 0;
};

void judge_direction(Judge& judge, const Row& row, Connections& connections) {
  const Found f = find(connections, row, "client", "client_port", "server", "server_port");
  const Sender s = row.at("way") == "up" ? f.client : f.client ^ 1;
  const tcp::SenderMeasures& m = f.connection.tracker.measures(s);
  const auto n = [&](const char* name) { return std::stod(row.at(name)); };
  const double before = n("filled") - n("filled_unseen");  // a tail that is repeated looks new
  judge.equal(row, "packets", n("packets"), f.connection.packets[s]);
  judge.equal(row, "flags", n("flags"), m.flags);
  judge.equal(row, "retransmitted", n("repeated_syns") + n("seen_twice") + before, m.retransmitted_packets);
  judge.equal(row, "retransmitted octets", n("repeated_octets"), static_cast<double>(m.retransmitted_octets));
  judge.equal(row, "lost before the probe", before, m.before_probe_packets);
  judge.equal(row, "reordered", n("reordered"), m.out_of_order_packets);
  judge.equal(row, "capture loss", 0, static_cast<double>(m.capture_loss_octets));
}

void judge_handshake(Judge& judge, const Row& row, Connections& connections) {
  const Found f = find(connections, row, "cip", "cport", "sip", "sport");
  const tcp::Tracker& t = f.connection.tracker;
  judge.equal(row, "initiator", f.client, t.initiator());
  const Nanos server = t.handshake_rtt(f.client ^ 1), client = t.handshake_rtt(f.client);
  if (server == tcp::Tracker::kUnknown) {
    judge.equal(row, "transactions without a handshake", 0, std::stod(row.at("ntx")));
    return;
  }
  judge.equal(row, "server's handshake", std::stod(row.at("srv_rtt_us")), static_cast<double>(server) / 1e3, 10);
  judge.equal(row, "client's handshake", std::stod(row.at("cli_rtt_us")), static_cast<double>(client) / 1e3, 10);
}

}  // namespace

int main(int count, char** arguments) try {
  if (count != 3) throw std::runtime_error("usage: tracker_truth TRACE PREFIX");
  const std::string prefix = arguments[2];
  constexpr std::size_t kMostConnections = 500'000;
  tcp::TroublesPool troubles(2 * kMostConnections);
  Connections connections = follow(arguments[1], troubles);
  if (connections.size() > kMostConnections) throw std::runtime_error("more connections than memory is meant for");
  Judge judge;
  for (const Row& row : table(prefix + ".directions.csv"))
    if (row.at("kind") != "dns") judge_direction(judge, row, connections);
  for (const Row& row : table(prefix + ".flows.csv")) judge_handshake(judge, row, connections);
  return judge.report() ? 0 : 1;
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 2;
}
