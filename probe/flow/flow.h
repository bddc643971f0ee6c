// A biflow: both directions of a conversation between two endpoints.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "probe/base/pool.h"
#include "probe/packet/packet.h"

namespace probe {

namespace tcp {
class Tracker;
}
class Conversation;

using FlowIndex = std::uint32_t;
inline constexpr FlowIndex kNoFlow = ~FlowIndex{0};

// IANA flowEndReason.
enum class EndReason : std::uint8_t {
  idle_timeout = 1,
  active_timeout = 2,
  end_of_flow = 3,
  forced_end = 4,
  lack_of_resources = 5
};

// What one endpoint sent in this record's interval.
struct SideCounts {
  std::uint64_t octets = 0;
  std::uint64_t packets = 0;
  Nanos last = 0;  // if packets > 0
};

// Times the turns of a conversation without knowing its protocol: data of the initiator, then data of the responder.
struct Turns {
  // Data of the initiator after this pause is another request, not more of the same one.
  static constexpr Nanos kPause = kSecond;

  Nanos asked = 0;  // last data of the initiator
  Nanos sum = 0;
  std::uint32_t count = 0;
  std::uint16_t unanswered = 0;  // stays at the greatest number
  bool waiting = false;

  void on_initiator(Nanos now) {
    if (waiting && now - asked > kPause) give_up();
    asked = now;
    waiting = true;
  }
  // How long it took; negative if this is no answer.
  Nanos on_responder(Nanos now) {
    if (!waiting) return -1;
    waiting = false;
    if (now < asked) return -1;
    sum += now - asked;
    ++count;
    return now - asked;
  }
  // There will be no answer.
  void give_up() {
    if (waiting && unanswered < 0xffff) ++unanswered;
    waiting = false;
  }
};

// Of the turns of an interval, in microseconds, if there are any.
struct ResponseSpread {
  std::uint32_t least, greatest;
};

// What the IP headers of each side tell about its path, in this interval.
struct PathHeaders {
  std::array<std::uint8_t, 2> ttl_min{}, ttl_max{};
  std::array<std::uint8_t, 2> ttl_changes{};  // these two stay at their greatest number
  std::array<std::uint16_t, 2> fragments{};
};

// Lives in the table's slot for as long as packets come. Sides are by canonical endpoint (0 lower, 1 higher), so that
// learning late who the initiator is changes one field only. The first two cache lines have what every packet needs,
// the third what packets with payload need, the fourth what the first packet writes and records read.
struct alignas(64) Flow {
  FlowKey key;
  Nanos last = 0;                   // newest packet
  tcp::Tracker* tracker = nullptr;  // TCP only

  alignas(64) std::array<SideCounts, 2> sides;
  Nanos interval_start = 0;           // first packet of this record's interval, if packets() > 0
  std::uint32_t burst = 0;            // of its last packet: flows of the running burst are not evicted
  std::array<std::uint8_t, 2> ttl{};  // of the last packet of each side
  std::uint8_t initiator : 1 = 0;
  bool initiator_certain : 1 = false;  // told by a SYN or by the payload
  bool ended : 1 = false;              // FIN of both sides or RST: lingers
  bool look_inside : 1 = false;        // its payload is wanted
  std::uint8_t initial_known : 2 = 0;  // bit s: the SYN of side s was seen
  std::uint8_t dont_fragment : 2 = 0;  // bit s: side s has set DF in this interval
  std::uint8_t application = 0;        // number of its dissector + 1, once the conversation is gone; 0: none

  alignas(64) Conversation* conversation = nullptr;  // once there was payload to look into
  std::uint32_t path = kNoSlot;                      // what ICMP told of it, once it did
  std::uint32_t packet_measures = kNoSlot;
  Turns turns;
  union {
    std::array<std::uint32_t, 2> initial_sequence{};  // TCP: of the SYN of each side, if initial_known
    ResponseSpread response;                          // others: of `turns`, if it counts any
  };
  std::array<Nanos, 2> first{};  // packet of each side in this interval, if there is one

  alignas(64) std::uint64_t id = 0;
  Encapsulation encapsulation;  // of the first packet
  std::uint32_t quality = 0;
  std::uint32_t transactions = 0;
  std::uint16_t icmp_type_code = 0;             // of the first packet
  std::array<std::uint8_t, 2> traffic_class{};  // of the first packet of each side in this interval
  std::uint8_t mac_from = 0;                    // who sent the packet that `encapsulation` is of
  std::uint8_t halvings = 0;                    // of the sample of flows, by shedding, when this flow began
  PathHeaders headers;

  bool knows_initial(unsigned side) const { return (initial_known >> side & 1) != 0; }
  std::uint64_t packets() const { return sides[0].packets + sides[1].packets; }
};

static_assert(sizeof(Flow) == 256 && offsetof(Flow, sides) == 64 && offsetof(Flow, conversation) == 128 &&
              offsetof(Flow, id) == 192);

}  // namespace probe
