// Two TAP interfaces joined by an impaired cable with a tap in the middle:
//
//   endpoint A --[ link A ]--> (tap point) --[ link B ]--> endpoint B
//              <-[ link A ]--  (tap point) <-[ link B ]--
//
// One thread, one heap of timed events. See ../README.md.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "probe/base/nanos.h"
#include "tests/lab/wire/link.h"
#include "tests/lab/wire/log.h"
#include "tests/lab/wire/pcap.h"
#include "tests/lab/wire/tap.h"

namespace probe::lab {

struct Options {
  std::array<Port, 2> ports;  // [0] = A, [1] = B
  std::optional<Port> mirror;
  std::array<std::array<Impairment, 2>, 2> links;  // [link a, b][direction]
  std::vector<Rule> rules;
  std::string pcap, log;
  std::uint64_t seed = 1;
  Nanos duration = 0;  // 0: until stopped
  Nanos spin = 0;
  bool log_all = false;
  bool realtime = false;
  bool offload = false;
};

class Wire {
 public:
  explicit Wire(Options options);
  void run(const std::atomic<bool>& stop);

 private:
  enum class Stage : std::uint8_t { to_tap, to_far_end };
  struct Event {
    Nanos at;
    std::uint64_t order;  // keeps equal times in arrival order
    Stage stage;
    Direction direction;
    std::uint64_t id;
    Nanos received;
    std::shared_ptr<const Frame> frame;
    bool operator>(const Event& other) const { return at != other.at ? at > other.at : order > other.order; }
  };

  Link& link_of(Stage stage, Direction d);
  void wait(Nanos now, Nanos started);
  void receive(Direction d);
  void cross(Event e, Summary s, Nanos now);
  void release(Event e, Nanos now);
  void at_tap(Event e, Nanos now);
  // Where the packet begins in what the interfaces hand over.
  std::size_t packet_at() const { return options_.offload ? kOffloadHeader : 0; }
  Bytes packet(Bytes frame) const { return frame.subspan(packet_at()); }
  void deliver(Direction d, Bytes frame);
  void note(const char* event, const char* why, const Event& e, const Summary& s, Nanos time, Nanos extra = 0);
  void finish();

  Options options_;
  std::array<Fd, 2> taps_;
  std::optional<Fd> mirror_;
  std::optional<PcapWriter> pcap_;
  TruthLog log_;
  std::array<std::array<Link, 2>, 2> links_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::uint64_t next_id_ = 0, next_order_ = 0;
  Nanos wall_offset_ = 0, last_seen_ = 0;
  Totals totals_;
};

}  // namespace probe::lab
