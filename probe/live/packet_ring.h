// A packet socket with its TPACKET_V3 ring: blocks of frames that the kernel and the reader hand to and fro.
#pragma once

#include <linux/filter.h>
#include <linux/if_packet.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "probe/live/link_info.h"
#include "probe/live/packet_socket.h"

namespace probe::live {

// What the kernel has counted since the last time. `offered` has those that were dropped, too.
struct RingCounts {
  std::uint64_t offered = 0, dropped = 0;
};

class PacketRing {
 public:
  // The fanout group: none, a new one, or that of another ring. Every 16-bit number is one, 0 too.
  static constexpr int kAlone = -1, kNewGroup = -2;

  // Opens and binds; no frame comes before start().
  // Throws std::runtime_error.
  PacketRing(const PacketSocketOptions&, const LinkInfo&, int group);
  ~PacketRing();
  PacketRing(const PacketRing&) = delete;
  PacketRing& operator=(const PacketRing&) = delete;

  int group() const { return group_; }
  void start();

  // For the reader.
  std::size_t read(std::span<Frame> frames);
  void release(std::size_t frames);
  void wait(Nanos most);
  // Share of the blocks that wait to be read.
  double backlog() const;
  // All that came was read and released.
  bool drained() const { return held_ == 0 && !ready(); }

  // For whoever watches.
  RingCounts take_counts();
  void set_mtu(std::uint32_t);
  std::uint64_t received() const { return received_.load(std::memory_order_relaxed); }
  std::uint64_t oversized() const { return oversized_.load(std::memory_order_relaxed); }

 private:
  void configure(const PacketSocketOptions&, const LinkInfo&);
  void make_ring(const PacketSocketOptions&);
  void attach(int index, const PacketSocketOptions&, unsigned header);
  void set_filter(std::span<const sock_filter>) const;

  tpacket_hdr_v1& block(std::size_t i) const;
  bool ready() const { return held_ < blocks_ && is_ours(0); }  // the next block belongs to the reader
  bool is_ours(std::size_t ahead) const;                        // or the one so many blocks behind it
  bool open_block();
  void give_back();
  Frame frame_at(std::uint8_t* header);

  int socket_ = -1;
  int group_ = kAlone;
  bool ignore_outgoing_ = true;
  std::uint32_t snap_length_ = 0;
  Frame blank_;  // what all frames have in common

  std::uint8_t* memory_ = nullptr;
  std::size_t blocks_ = 0, block_octets_ = 0;
  Nanos block_timeout_ = 0;
  std::vector<std::uint32_t> left_;  // frames of each block that were not released
  std::size_t head_ = 0;             // block to be opened next
  std::size_t tail_ = 0;             // oldest block that is held
  std::size_t held_ = 0;             // blocks between them
  std::uint32_t unread_ = 0;         // frames of the newest block held
  std::uint8_t* next_ = nullptr;     // the first of these

  std::atomic<std::uint32_t> longest_{0};  // that a frame of the interface's MTU can be
  std::atomic<std::uint64_t> received_{0}, oversized_{0};
};

}  // namespace probe::live
