// What is kept of a sender only once something went wrong: most connections need none of it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "probe/base/pool.h"
#include "probe/tcp/backlog.h"
#include "probe/tcp/holes.h"
#include "probe/tcp/rarities.h"

namespace probe::tcp {

// What happened to the segments of one sender since the last report. Octets are payload: SYN and FIN are not counted.
struct SenderTroubles {
  std::uint32_t retransmitted_packets = 0;  // all of them: seen twice, repeated SYN or FIN, holes filled by a repeat
  std::uint64_t retransmitted_octets = 0;
  std::uint32_t before_probe_packets = 0;  // of these: the first copy never passed the probe
  std::uint32_t spurious_packets = 0;      // of these: the receiver had the octets already
  std::uint32_t out_of_order_packets = 0;
  std::uint32_t duplicate_acks = 0;       // sent by this sender (RFC 5681 §2)
  std::uint32_t zero_windows = 0;         // times this sender closed its receive window
  std::uint64_t capture_loss_octets = 0;  // acknowledged by the other side, never seen
};

struct Troubles {
  static constexpr unsigned kRepeats = 8;

  SenderTroubles measures;
  Holes holes;
  Backlog* backlog = nullptr;  // while more segments wait than have room in Outstanding
  // Retransmissions whose first copy passed the probe: a later DSACK (RFC 2883) may tell that one was needless, or be
  // about one that was known to be so when it passed. A few are enough, since it comes a round trip later. The tracker
  // counts them.
  struct Repeat {
    std::uint32_t begin, end;  // of its payload, so far as no DSACK has told of it
    std::uint32_t sent_us, acknowledged_us;
    bool known_needless, acknowledged;
  };
  std::array<Repeat, kRepeats> repeated;
  std::uint8_t next_repeat = 0;

  Troubles() {}  // leaves alone what is only read after it has been written
};

// Those of many senders.
class TroublesPool {
 public:
  // Few senders have many segments under way at the same moment; what finds no room is measured less often.
  static constexpr std::size_t kSendersForOneBacklog = 128, kLeastBacklogs = 64;

  // `detail`: there is room for Rarities.
  explicit TroublesPool(std::size_t senders, bool detail = false)
      : troubles_(senders),
        backlogs_(std::max(kLeastBacklogs, senders / kSendersForOneBacklog)),
        rarities_(detail ? senders : 0) {}

  Troubles* make() { return troubles_.make(); }
  void destroy(Troubles* t) {
    drop_backlog(*t);
    troubles_.destroy(t);
  }
  Rarities* make_rarities() { return rarities_.make(); }
  void destroy(Rarities* r) { rarities_.destroy(r); }
  // nullptr if there is none left.
  Backlog* make_backlog() { return backlogs_.make(); }
  void drop_backlog(Troubles& t) {
    if (t.backlog) backlogs_.destroy(t.backlog);
    t.backlog = nullptr;
  }
  std::size_t in_use() const { return troubles_.in_use(); }
  std::size_t backlogs_in_use() const { return backlogs_.in_use(); }
  std::size_t rarities_in_use() const { return rarities_.in_use(); }
  std::size_t octets() const { return troubles_.octets() + backlogs_.octets() + rarities_.octets(); }

 private:
  Pool<Troubles> troubles_;
  Pool<Backlog> backlogs_;
  Pool<Rarities> rarities_;
};

}  // namespace probe::tcp
