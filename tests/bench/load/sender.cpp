#include "tests/bench/load/sender.h"

#include <rte_mempool.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "probe/base/counters.h"
#include "probe/io/capture.h"
#include "tests/bench/load/pace.h"

namespace probe::load {
namespace {

constexpr std::uint16_t kBurst = 32;
constexpr double kMostBehind = 1024;  // frames

unsigned u16(Bytes octets, std::size_t at) { return static_cast<unsigned>(octets[at] << 8 | octets[at + 1]); }

// Ethernet with VLAN tags. The high bits of an address are left alone: it stays IPv4 or IPv6, unicast or multicast.
std::uint16_t place_of_address(Bytes octets) {
  std::size_t type = 12;
  while (octets.size() >= type + 6 && (u16(octets, type) == 0x8100 || u16(octets, type) == 0x88a8)) type += 4;
  if (octets.size() >= type + 2 + 20 && u16(octets, type) == 0x0800) return static_cast<std::uint16_t>(type + 2 + 12);
  if (octets.size() >= type + 2 + 40 && u16(octets, type) == 0x86dd) return static_cast<std::uint16_t>(type + 2 + 8);
  return 0;
}

// The second and third octet of both addresses; checksums are left as they are, since the probe does not look at them.
void change_addresses(std::uint8_t* octets, std::uint16_t at, unsigned by) {
  const unsigned size = octets[at - 12] >> 4 == 4 ? 4 : 16;
  for (const unsigned side : {0u, size}) {
    octets[at + side + 1] ^= static_cast<std::uint8_t>(by >> 8);
    octets[at + side + 2] ^= static_cast<std::uint8_t>(by);
  }
}

constexpr std::uint64_t kBegin = 1'700'000'000'000'000'000, kApart = 333;  // ns, of what is written

}  // namespace

Sender::Sender(const std::string& path, std::size_t most, unsigned rounds) : rounds_(std::max(rounds, 1u)) {
  pool_ =
      rte_pktmbuf_pool_create("load", static_cast<unsigned>(most), 0, 0, kRoom + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
  if (!pool_) throw std::runtime_error("no memory for " + std::to_string(most) + " frames");
  Counters counters;
  const auto capture = io::Capture::open(path, counters);
  std::array<Frame, 64> frames;
  while (const std::size_t n = capture->read(frames))
    for (std::size_t i = 0; i < n && frames_.size() < most; ++i) {
      if (frames[i].link != LinkType::ethernet || frames[i].octets.size() > kRoom) continue;
      rte_mbuf* const buffer = rte_pktmbuf_alloc(pool_);
      if (!buffer) break;
      std::memcpy(rte_pktmbuf_append(buffer, static_cast<std::uint16_t>(frames[i].octets.size())),
                  frames[i].octets.data(), frames[i].octets.size());
      frames_.push_back(buffer);
      address_of_.push_back(place_of_address(frames[i].octets));
    }
  if (frames_.size() < kBurst) throw std::runtime_error(path + ": too few frames of Ethernet");
}

Sender::~Sender() {
  for (rte_mbuf* frame : frames_) rte_pktmbuf_free(frame);
  rte_mempool_free(pool_);
}

// nullptr while the receiver still looks at the frame.
rte_mbuf* Sender::next() {
  rte_mbuf* const frame = frames_[next_];
  if (rte_mbuf_refcnt_read(frame) != 1) return nullptr;
  // From what it was in the last round to what it is in this one; the first round changes nothing.
  const unsigned change = round_ ^ (round_ == 0 ? rounds_ - 1 : round_ - 1);
  if (rounds_ > 1 && (round_ > 0 || again_) && address_of_[next_])
    change_addresses(rte_pktmbuf_mtod(frame, std::uint8_t*), address_of_[next_], change);
  if (++next_ == frames_.size()) {
    next_ = 0;
    round_ = (round_ + 1) % rounds_;
    again_ = true;
  }
  return frame;
}

std::uint16_t Sender::fill(rte_mbuf** burst, std::uint16_t want) {
  std::uint16_t n = 0;
  while (n < want && (burst[n] = next())) rte_mbuf_refcnt_update(burst[n++], 1);
  return n;
}

void Sender::write(const std::string& path, unsigned passes) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "wb"), std::fclose);
  const auto put = [&](const void* octets, std::size_t n) {
    if (!file || std::fwrite(octets, 1, n, file.get()) != n) throw std::runtime_error(path + " cannot be written");
  };
  // Magic number of nanoseconds, version 2.4, snap length, LINKTYPE_ETHERNET.
  const std::uint32_t head[] = {0xa1b23c4d, 4u << 16 | 2, 0, 0, 65535, 1};
  put(head, sizeof head);
  std::uint64_t time = kBegin;
  for (std::size_t left = passes * frames_.size(); left > 0; --left, time += kApart) {
    const rte_mbuf* const frame = next();
    const std::uint32_t record[] = {static_cast<std::uint32_t>(time / 1'000'000'000),
                                    static_cast<std::uint32_t>(time % 1'000'000'000), frame->pkt_len, frame->pkt_len};
    put(record, sizeof record);
    put(rte_pktmbuf_mtod(frame, const char*), frame->pkt_len);
  }
}

Sent Sender::send(double rate, double seconds, const Take& take) {
  Sent sent;
  rte_mbuf* burst[kBurst];
  Pace pace(rate, seconds, kMostBehind);
  while (!pace.is_over()) {
    const double due = pace.due(sent.offered);
    if (due < 1) continue;
    const std::uint16_t n = fill(burst, static_cast<std::uint16_t>(std::min<double>(due, kBurst)));
    for (std::uint16_t i = 0; i < n; ++i) sent.octets += burst[i]->pkt_len;
    const std::uint16_t taken = n ? take(burst, n) : 0;
    for (std::uint16_t i = taken; i < n; ++i) rte_mbuf_refcnt_update(burst[i], -1);
    sent.offered += n;
    sent.refused += n - taken;
  }
  sent.seconds = pace.elapsed();
  return sent;
}

}  // namespace probe::load
