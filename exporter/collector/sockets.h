// The sockets of a collector: where messages arrive, and which stream each belongs to.
#pragma once

#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "exporter/collector/ledger.h"
#include "exporter/transport/address.h"

namespace probe {

class Sockets {
 public:
  Sockets(std::uint32_t enterprise, ipfix::RecordReceiver& receiver, Ledger& ledger)
      : enterprise_(enterprise), receiver_(receiver), ledger_(ledger) {}

  std::uint16_t listen(const Url&);
  // Reads what is there, waiting at most so long for something. True if anything came.
  bool receive(std::chrono::milliseconds most);
  void add_open_streams(Ledger&) const;

 private:
  struct Connection {
    Connection(Descriptor s, std::string peer, std::uint32_t enterprise, ipfix::RecordReceiver& receiver)
        : socket(std::move(s)), peer(std::move(peer)), reader(enterprise, receiver) {}
    Descriptor socket;
    std::string peer;
    ipfix::Reader reader;
    std::vector<std::uint8_t> buffer;  // what is not yet a whole message
  };
  struct Peer {
    std::unique_ptr<ipfix::Reader> reader;
    std::uint64_t heard = 0;  // the greater, the later
  };
  void read_datagrams(int socket);
  Peer& peer_of(const SocketAddress&);
  void accept_connections(int socket);
  bool read_connection(Connection&);  // false: it is over
  bool read_messages(Connection&);

  std::uint32_t enterprise_;
  ipfix::RecordReceiver& receiver_;
  Ledger& ledger_;
  std::vector<Descriptor> udp_, tcp_;
  std::map<std::string, Peer> peers_;
  std::list<Connection> connections_;
  std::uint64_t heard_ = 0;
  std::vector<std::uint8_t> datagram_ = std::vector<std::uint8_t>(65536);
};

}  // namespace probe
