#include "probe/dpdk/queue.h"

#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <rte_mbuf_dyn.h>
#include <time.h>

#include <algorithm>
#include <cstring>

#include "probe/base/prefetch.h"

namespace probe::dpdk {
namespace {

constexpr std::size_t kBurst = 64;
constexpr unsigned kMostDrained = 1 << 16;

// A thread that DPDK knows has caches of its own in the pools of buffers: no atomic operation a burst, and the buffers
// that come back are the next ones to be used.
struct KnownThread {
  KnownThread() : mine(rte_lcore_id() == LCORE_ID_ANY && rte_thread_register() == 0) {}
  ~KnownThread() {
    if (mine) rte_thread_unregister();
  }
  bool mine;
};

// Without a system call: clock_gettime() reads the kernel's page of the vDSO.
Nanos wall_clock() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

// What the decoder reads of a frame: whoever wrote it, NIC or other process, did so with another cache.
void prefetch_headers(const rte_mbuf& buffer) {
  const auto* const octets = rte_pktmbuf_mtod(&buffer, const std::uint8_t*);
  prefetch(octets);
  prefetch(octets + 64);
}

void add(std::atomic<std::uint64_t>& counter, std::uint64_t n) {
  counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

}  // namespace

Queue::Queue(const QueueOptions& options)
    : options_(options),
      mask_(options.held - 1),
      held_(new rte_mbuf*[options.held]),
      joined_(new Joined[options.held]),
      area_(options.join_octets) {}

Queue::~Queue() { release(read_ - released_); }

std::size_t Queue::read(std::span<Frame> frames) {
  thread_local const KnownThread known;
  static_cast<void>(known);
  const std::size_t room = options_.held - (read_ - released_);
  rte_mbuf* burst[kBurst];
  const auto want = static_cast<std::uint16_t>(std::min({frames.size(), room, kBurst}));
  const std::size_t got = rte_eth_rx_burst(options_.port, options_.queue, burst, want);
  if (got == 0) return 0;
  for (std::size_t i = 0; i < got; ++i) prefetch_headers(*burst[i]);
  const Nanos now = wall_clock();
  for (std::size_t i = 0; i < got; ++i) {
    frames[i] = frame_of(read_, burst[i], now);
    held_[read_++ & mask_] = burst[i];
  }
  add(received_, got);
  return got;
}

std::optional<double> Queue::backlog() const {
  const int waiting = rte_eth_rx_queue_count(options_.port, options_.queue);
  if (waiting < 0 || options_.descriptors == 0) return std::nullopt;
  return static_cast<double>(waiting) / options_.descriptors;
}

Frame Queue::frame_of(std::uint64_t number, rte_mbuf*& buffer, Nanos now) {
  Frame frame;
  frame.wire_length = buffer->pkt_len;
  frame.port = options_.interface;
  const std::optional<Nanos> stamp = options_.stamps.flag ? stamp_of(*buffer, now) : std::nullopt;
  frame.time = stamp.value_or(now);
  frame.polled = !stamp;
  frame.octets = buffer->nb_segs > 1 ? join(number, buffer)
                                     : Bytes(rte_pktmbuf_mtod(buffer, const std::uint8_t*), buffer->data_len);
  return frame;
}

// The frame's octets in one piece, and its buffers free again; the first buffer's alone if there is no room.
Bytes Queue::join(std::uint64_t number, rte_mbuf*& buffer) {
  std::uint8_t* const begin = area_.take(buffer->pkt_len);
  if (!begin) {
    add(cut_, 1);
    return {rte_pktmbuf_mtod(buffer, const std::uint8_t*), buffer->data_len};
  }
  std::size_t at = 0;
  const std::size_t octets = buffer->pkt_len;
  for (const rte_mbuf* part = buffer; part && at < octets; part = part->next) {
    const std::size_t n = std::min<std::size_t>(part->data_len, octets - at);
    std::memcpy(begin + at, rte_pktmbuf_mtod(part, const std::uint8_t*), n);
    at += n;
  }
  rte_pktmbuf_free(buffer);
  buffer = nullptr;
  joined_[joined_read_++ & mask_] = {number, area_.mark()};
  return {begin, at};
}

std::optional<Nanos> Queue::stamp_of(const rte_mbuf& buffer, Nanos now) {
  if (!(buffer.ol_flags & options_.stamps.flag)) return std::nullopt;
  const std::uint64_t stamp = *RTE_MBUF_DYNFIELD(&buffer, options_.stamps.offset, const rte_mbuf_timestamp_t*);
  switch (options_.stamp) {
    case Stamp::microseconds:
      return static_cast<Nanos>(stamp) * kMicrosecond;
    case Stamp::nanoseconds:
      return static_cast<Nanos>(stamp);
    case Stamp::hardware:
      break;
  }
  const Nanos time = clock_.time_of(stamp, now);
  return clock_.trusted() ? std::optional(time) : std::nullopt;
}

void Queue::release(std::size_t frames) {
  frames = std::min<std::size_t>(frames, read_ - released_);
  while (frames > 0) {
    const std::size_t from = released_ & mask_;
    const std::size_t n = std::min<std::size_t>(frames, options_.held - from);  // up to the end of the ring
    rte_pktmbuf_free_bulk(held_.get() + from, static_cast<unsigned>(n));
    released_ += n;
    frames -= n;
  }
  for (; joined_released_ < joined_read_; ++joined_released_) {
    const Joined& oldest = joined_[joined_released_ & mask_];
    if (oldest.number >= released_) break;
    area_.give(oldest.mark);
  }
}

void Queue::drain() {
  release(read_ - released_);
  rte_mbuf* burst[kBurst];
  for (unsigned drained = 0; drained < kMostDrained;) {
    const unsigned got = rte_eth_rx_burst(options_.port, options_.queue, burst, kBurst);
    if (got == 0) break;
    rte_pktmbuf_free_bulk(burst, got);
    drained += got;
  }
}

}  // namespace probe::dpdk
