// Connections of QUIC by their connection IDs, which stay the same when a NAT gives the client another port.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "dissectors/kit/flow_end.h"
#include "dissectors/kit/quic_header.h"
#include "dissectors/kit/shared_table.h"
#include "probe/base/bytes.h"

namespace probe::quic {

// At most kMostIdOctets.
struct ConnectionId {
  std::uint8_t size = 0;
  std::array<std::uint8_t, kMostIdOctets> octets{};  // beyond size: 0

  void set(Bytes id);
  bool is(Bytes id) const;
  bool operator==(const ConnectionId&) const = default;
};

// A connection as one of its IDs names it.
struct KnownConnection {
  struct Name {
    FlowEnd server;   // it keeps its address (RFC 9000 §9.6: at least once the handshake is over)
    ConnectionId id;  // which packets carry to that endpoint that chose it
    bool to_server = false;

    bool operator==(const Name&) const = default;
    std::uint64_t hash() const;
  };

  Name at;
  Nanos announced = 0;
  std::uint64_t first_flow = 0;  // flowId of the flow with the handshake
  ConnectionId original, client, server;
  std::uint32_t version = 0;
};

class ConnectionTable {
 public:
  // A shorter ID says too little: it is not announced.
  static constexpr std::size_t kLeastIdOctets = 4;

  explicit ConnectionTable(std::size_t ids) : table_(ids) {}

  // `c` under the IDs that both sides chose. `server`: its address.
  void announce(KnownConnection c, const FlowEnd& server);
  // Of a packet with a short header, whose ID is as long as its reader knows it to be.
  bool find(const FlowEnd& server, bool to_server, Bytes packet, Nanos now, KnownConnection& out);

  std::size_t octets() const { return table_.octets(); }

 private:
  void announce_as(KnownConnection&, const ConnectionId&, bool to_server);

  SharedTable<KnownConnection> table_;
  std::atomic<std::uint32_t> lengths_{0};  // bit n: there are IDs of n octets
};

}  // namespace probe::quic
