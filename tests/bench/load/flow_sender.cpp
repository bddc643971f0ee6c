#include "tests/bench/load/flow_sender.h"

#include <rte_mempool.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "probe/base/counters.h"
#include "probe/io/capture.h"
#include "probe/packet/decoder.h"
#include "tests/bench/load/pace.h"

namespace probe::load {
namespace {

constexpr std::size_t kRoom = 2048;
constexpr unsigned kBuffers = 1023;
constexpr std::size_t kEthernet = 14, kSourceAddress = 12;
// Seconds: on a machine that others use as well the rate is right on average.
constexpr double kMostBehind = 0.05;
constexpr std::uint32_t kMostCopies = 1 << 24;

Nanos now() {
  timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * kSecond + t.tv_nsec;
}

void combine(std::uint8_t* address, std::uint32_t with) {
  for (unsigned i = 0; i < 3; ++i) address[1 + i] ^= static_cast<std::uint8_t>(with >> (16 - 8 * i));
}

}  // namespace

FlowSender::FlowSender(const std::string& capture, std::size_t at_a_time, std::uint32_t first) : first_(first) {
  read(capture);
  pool_ = rte_pktmbuf_pool_create("flows", kBuffers, 0, 0, kRoom + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
  if (!pool_) throw std::runtime_error("no memory for frames");
  for (std::size_t i = 0; i < at_a_time; ++i)
    slots_.push_back({0, -static_cast<std::int64_t>(i * frames_.size() / at_a_time)});
}

FlowSender::~FlowSender() { rte_mempool_free(pool_); }

void FlowSender::read(const std::string& path) {
  Counters counters;
  Decoder decoder({}, counters);
  const auto capture = io::Capture::open(path, counters);
  std::array<Frame, 64> frames;
  while (const std::size_t n = capture->read(frames)) {
    decoder.new_burst();
    for (std::size_t i = 0; i < n; ++i) {
      const Bytes octets = frames[i].octets;
      Packet p;
      if (frames[i].link != LinkType::ethernet || octets.size() > kRoom || !decoder.decode(frames[i], p)) continue;
      if (octets.size() < kEthernet + 20 || octets[12] != 0x08 || octets[13] != 0x00) continue;
      const auto has_key = [&](const Conversation& c) { return c.key == p.key; };
      auto at = std::find_if(conversations_.begin(), conversations_.end(), has_key);
      if (at == conversations_.end()) at = conversations_.insert(at, Conversation{p.key});
      ++at->frames;
      frames_.push_back({{octets.begin(), octets.end()},
                         kEthernet + kSourceAddress,
                         static_cast<std::size_t>(at - conversations_.begin())});
    }
  }
  if (frames_.empty()) throw std::runtime_error(path + ": no frames of IPv4 over Ethernet");
}

void FlowSender::begin(Slot& slot) {
  slot.copy = static_cast<std::uint32_t>(begins_.size());
  if (slot.copy + first_ >= kMostCopies) throw std::runtime_error("addresses are used up");
  slot.next = 0;
  begins_.push_back(now());
  fates_.resize(fates_.size() + conversations_.size());
}

// Nothing if it is the turn of a copy that waits.
FlowSender::Fate* FlowSender::next(rte_mbuf* buffer) {
  Slot& slot = slots_[turn_];
  turn_ = (turn_ + 1) % slots_.size();
  if (slot.next < 0 && ++slot.next < 0) return nullptr;
  if (slot.next == 0 || slot.next == static_cast<std::int64_t>(frames_.size())) begin(slot);
  const Original& frame = frames_[static_cast<std::size_t>(slot.next++)];
  rte_pktmbuf_reset(buffer);
  char* const room = rte_pktmbuf_append(buffer, static_cast<std::uint16_t>(frame.octets.size()));
  auto* const octets = reinterpret_cast<std::uint8_t*>(room);
  std::memcpy(octets, frame.octets.data(), frame.octets.size());
  combine(octets + frame.addresses, first_ + slot.copy);
  combine(octets + frame.addresses + 4, first_ + slot.copy);
  return &fates_[slot.copy * conversations_.size() + frame.conversation];
}

Sent FlowSender::send(double rate, double seconds, const std::atomic<bool>& end, const Take& take) {
  Sent sent;
  std::array<rte_mbuf*, kBurst> burst;
  std::array<Fate*, kBurst> fates;
  std::uint16_t have = 0;  // buffers in front
  Pace pace(rate, seconds, rate * kMostBehind);
  while (!pace.is_over() && !end) {
    const double due = pace.due(sent.offered);
    if (due < kBurst) std::this_thread::sleep_for(std::chrono::microseconds(50));
    if (due < 1) continue;
    // No copy begins within the burst that could move the fates of those in front of it.
    if (fates_.capacity() < fates_.size() + kBurst * conversations_.size())
      fates_.reserve(2 * fates_.size() + kBurst * conversations_.size());
    const auto want = static_cast<std::uint16_t>(std::min<double>(due, kBurst));
    for (; have < want; ++have)
      if (!(burst[have] = rte_pktmbuf_alloc(pool_))) break;
    std::uint16_t n = 0;
    for (std::size_t tries = 0; n < std::min(want, have) && tries < slots_.size(); ++tries)
      if ((fates[n] = next(burst[n]))) sent.octets += burst[n++]->pkt_len;
    const std::uint16_t taken = n ? take(burst.data(), n) : std::uint16_t{0};
    for (std::uint16_t i = 0; i < n; ++i) {
      ++fates[i]->offered;
      if (i >= taken) ++fates[i]->refused;
    }
    std::copy(burst.begin() + taken, burst.begin() + have, burst.begin());
    have = static_cast<std::uint16_t>(have - taken);
    sent.offered += n;
    sent.refused += n - taken;
  }
  for (std::uint16_t i = 0; i < have; ++i) rte_pktmbuf_free(burst[i]);
  sent.seconds = pace.elapsed();
  return sent;
}

void FlowSender::write_truth(std::FILE* file) const {
  const auto address = [](const Address& a) {
    const auto octet = [&](unsigned i) { return static_cast<unsigned>(a.low >> (24 - 8 * i) & 0xff); };
    return std::to_string(octet(0)) + '.' + std::to_string(octet(1)) + '.' + std::to_string(octet(2)) + '.' +
           std::to_string(octet(3));
  };
  for (const Conversation& c : conversations_)
    std::fprintf(file, "%s %u %s %u %u %u\n", address(c.key.low_address).c_str(), unsigned{c.key.low_port},
                 address(c.key.high_address).c_str(), unsigned{c.key.high_port}, unsigned{c.key.protocol}, c.frames);
  std::fprintf(file, "\n");
  for (std::size_t i = 0; i < begins_.size(); ++i) {
    std::fprintf(file, "%zu %ld", first_ + i, begins_[i]);
    for (std::size_t c = 0; c < conversations_.size(); ++c) {
      const Fate f = fates_[i * conversations_.size() + c];
      std::fprintf(file, " %u %u", unsigned{f.offered}, unsigned{f.refused});
    }
    std::fprintf(file, "\n");
  }
}

}  // namespace probe::load
