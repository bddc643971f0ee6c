// A receive queue of a DPDK port.
#pragma once

#include <rte_mbuf.h>

#include <atomic>
#include <memory>
#include <optional>
#include <span>

#include "probe/dpdk/drivers.h"
#include "probe/dpdk/hardware_clock.h"
#include "probe/dpdk/join_area.h"
#include "probe/live/port.h"

namespace probe::dpdk {

// Where a stamp is in a buffer. No flag: the driver makes none.
struct StampField {
  std::uint64_t flag = 0;
  int offset = -1;
};

struct QueueOptions {
  std::uint16_t port = 0;  // DPDK's number
  std::uint16_t queue = 0;
  std::uint16_t interface = 0;  // Frame::port
  std::uint32_t held = 0;       // frames at most read and not released: a power of two
  std::uint16_t descriptors = 0;
  std::size_t join_octets = 0;
  StampField stamps;
  Stamp stamp = Stamp::hardware;
};

class Queue final : public live::Queue {
 public:
  explicit Queue(const QueueOptions& options);
  ~Queue() override;
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  // At most 64 frames; some drivers give nothing to whom asks for less than 32.
  std::size_t read(std::span<Frame> frames) override;
  void release(std::size_t frames) override;
  void wait(Nanos) override {}
  std::optional<double> backlog() const override;

  // These two may be asked by any thread.
  std::uint64_t received() const { return received_.load(std::memory_order_relaxed); }
  std::uint64_t cut() const { return cut_.load(std::memory_order_relaxed); }

  // Throws away what is still in the port.
  void drain();

 private:
  Frame frame_of(std::uint64_t number, rte_mbuf*& buffer, Nanos now);
  Bytes join(std::uint64_t number, rte_mbuf*& buffer);
  // Absent: nobody can tell better than `now`.
  std::optional<Nanos> stamp_of(const rte_mbuf& buffer, Nanos now);

  // A frame in the join area: what to give back when it is released.
  struct Joined {
    std::uint64_t number;
    std::uint64_t mark;
  };

  QueueOptions options_;
  std::uint64_t mask_;
  std::unique_ptr<rte_mbuf*[]> held_;  // a ring; nullptr: has been joined, and freed
  std::unique_ptr<Joined[]> joined_;   // a ring, as large
  std::uint64_t read_ = 0;             // frames since the start
  std::uint64_t released_ = 0;
  std::uint64_t joined_read_ = 0;
  std::uint64_t joined_released_ = 0;
  JoinArea area_;
  HardwareClock clock_;
  std::atomic<std::uint64_t> received_ = 0;  // written by the reading thread only
  std::atomic<std::uint64_t> cut_ = 0;
};

}  // namespace probe::dpdk
