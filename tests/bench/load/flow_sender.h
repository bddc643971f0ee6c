// Sends copies of a capture, many at a time, and knows what became of each of their conversations.
#pragma once

#include <rte_mbuf.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "probe/base/nanos.h"
#include "probe/packet/flow_key.h"
#include "tests/bench/load/sender.h"

namespace probe::load {

// Each copy has a number, which is combined with the lower 24 bits of both addresses (exclusive or): its flows are new.
// Its frames are sent in the capture's order, and between two of them one of every other copy that is under way.
class FlowSender {
 public:
  // IPv4 over Ethernet; other frames of the capture are left out. `first`: number of the first copy. Throws
  // std::runtime_error.
  FlowSender(const std::string& capture, std::size_t at_a_time, std::uint32_t first);
  ~FlowSender();
  FlowSender(const FlowSender&) = delete;
  FlowSender& operator=(const FlowSender&) = delete;

  // A frame that is refused is lost, as on a wire. Goes on where the last call stopped; `end` ends it early.
  Sent send(double frames_a_second, double seconds, const std::atomic<bool>& end, const Take& take);

  // One line for each conversation of the capture: addresses and ports of its lower and higher endpoint, protocol,
  // frames. An empty line. Then one for each copy: its number, the time of its first frame (ns since 1970), and of each
  // conversation the frames that were offered and those of them that were refused.
  void write_truth(std::FILE*) const;

 private:
  static constexpr std::uint16_t kBurst = 32;
  struct Original {
    std::vector<std::uint8_t> octets;
    std::size_t addresses = 0;  // where the one of the source begins
    std::size_t conversation = 0;
  };
  struct Conversation {
    FlowKey key;
    unsigned frames = 0;
  };
  struct Fate {
    std::uint16_t offered = 0, refused = 0;
  };
  // A copy under way.
  struct Slot {
    std::uint32_t copy = 0;
    std::int64_t next = 0;  // frame; negative: turns to wait, so that not all begin at once
  };

  void read(const std::string& capture);
  Fate* next(rte_mbuf*);
  void begin(Slot&);

  std::uint32_t first_;
  std::vector<Original> frames_;
  std::vector<Conversation> conversations_;
  std::vector<Slot> slots_;
  std::size_t turn_ = 0;
  std::vector<Nanos> begins_;  // of each copy
  std::vector<Fate> fates_;    // of each copy's conversations
  rte_mempool* pool_ = nullptr;
};

}  // namespace probe::load
