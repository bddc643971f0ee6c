#include "probe/live/packet_ring.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

#include "probe/live/spread.h"

// Newer than some kernels' headers; an older kernel does not mind the flag, and the filter does the same.
#ifndef PACKET_FANOUT_FLAG_IGNORE_OUTGOING
#define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000
#endif

namespace probe::live {
namespace {

constexpr std::uint32_t kTag = 4;  // octets of a VLAN tag
constexpr std::uint32_t kEthernet = 14;

[[noreturn]] void refuse(const std::string& interface, const std::string& what) {
  throw std::runtime_error(interface + ": " + what);
}

[[noreturn]] void refuse_because(const std::string& interface, const std::string& what, int error) {
  refuse(interface, what + " (" + std::strerror(error) + ").");
}

bool is_ethernet(const LinkInfo& link) { return link.hardware == ARPHRD_ETHER || link.hardware == ARPHRD_LOOPBACK; }

// Whose frames are IP packets once the kernel has taken off what is in front (SOCK_DGRAM).
bool is_raw_ip(const LinkInfo& link) {
  switch (link.hardware) {
    case ARPHRD_NONE:
    case ARPHRD_PPP:
    case ARPHRD_TUNNEL:
    case ARPHRD_TUNNEL6:
    case ARPHRD_SIT:
    case ARPHRD_IPGRE:
    case 519:  // ARPHRD_RAWIP
    case 823:  // ARPHRD_IP6GRE
      return true;
    default:
      return false;
  }
}

int open_socket(const std::string& interface, const LinkInfo& link) {
  if (!is_ethernet(link) && !is_raw_ip(link))
    refuse(interface, "is neither Ethernet nor does it carry plain IP (ARPHRD type " + std::to_string(link.hardware) +
                          "), and such frames are not decoded: capture on another interface.");
  // Protocol 0: nothing comes before bind().
  const int s = socket(AF_PACKET, (is_ethernet(link) ? SOCK_RAW : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (s >= 0) return s;
  if (errno == EPERM || errno == EACCES)
    refuse(interface,
           "capturing needs the capability CAP_NET_RAW: run as root, or give it to the program "
           "(AmbientCapabilities=CAP_NET_RAW in the systemd unit, or setcap cap_net_raw+ep).");
  refuse_because(interface, "the kernel gives no packet socket", errno);
}

template <typename T>
bool set(int socket, int option, const T& value) {
  return setsockopt(socket, SOL_PACKET, option, &value, sizeof value) == 0;
}

}  // namespace

PacketRing::PacketRing(const PacketSocketOptions& o, const LinkInfo& link, int group)
    : socket_(open_socket(o.interface, link)), group_(group) {
  try {
    configure(o, link);
    make_ring(o);
    attach(link.index, o, is_ethernet(link) ? kEthernet : 0);
  } catch (...) {
    if (memory_ != nullptr) munmap(memory_, blocks_ * block_octets_);
    close(socket_);
    throw;
  }
}

PacketRing::~PacketRing() {
  munmap(memory_, blocks_ * block_octets_);
  close(socket_);
}

void PacketRing::configure(const PacketSocketOptions& o, const LinkInfo& link) {
  ignore_outgoing_ = o.ignore_outgoing;
  snap_length_ = o.snap_length;
  block_timeout_ = o.block_timeout;
  blank_.link = is_ethernet(link) ? LinkType::ethernet : LinkType::raw_ip;
  blank_.port = o.port;
  set_mtu(link.mtu);
  const int version = TPACKET_V3;
  // Room to put a VLAN tag back in front of which the kernel has the addresses.
  const unsigned reserve = kTag;
  if (!set(socket_, PACKET_VERSION, version) || !set(socket_, PACKET_RESERVE, reserve))
    refuse_because(o.interface, "the kernel has no TPACKET_V3, which came with Linux 3.2", errno);
  const int on = 1;
  // Spares the kernel the work; where it does not know the option (before 4.20) the filter of start() does it.
  if (o.ignore_outgoing) set(socket_, PACKET_IGNORE_OUTGOING, on);
}

void PacketRing::make_ring(const PacketSocketOptions& o) {
  constexpr unsigned kFrame = 2048;  // only has to divide a block: frames of a TPACKET_V3 ring have any length
  tpacket_req3 request{};
  request.tp_block_size = static_cast<unsigned>(o.block_octets);
  request.tp_block_nr = static_cast<unsigned>(o.blocks);
  request.tp_frame_size = kFrame;
  request.tp_frame_nr = static_cast<unsigned>(o.block_octets / kFrame * o.blocks);
  request.tp_retire_blk_tov = static_cast<unsigned>(std::max<Nanos>(1, o.block_timeout / kMillisecond));
  const std::string size = std::to_string(o.blocks) + " blocks of " + std::to_string(o.block_octets) +
                           " octets for each of " + std::to_string(o.queues) + (o.queues == 1 ? " queue" : " queues");
  if (!set(socket_, PACKET_RX_RING, request)) {
    if (errno == ENOMEM) refuse(o.interface, "the kernel has no memory for a ring of " + size + ": ask for less.");
    refuse_because(o.interface, "the kernel refuses a ring of " + size, errno);
  }
  void* memory = mmap(nullptr, o.blocks * o.block_octets, PROT_READ | PROT_WRITE, MAP_SHARED, socket_, 0);
  if (memory == MAP_FAILED)
    refuse_because(o.interface, "a ring of " + size + " finds no room in the address space", errno);
  memory_ = static_cast<std::uint8_t*>(memory);
  blocks_ = o.blocks;
  block_octets_ = o.block_octets;
  left_.resize(blocks_);
}

void PacketRing::attach(int index, const PacketSocketOptions& o, unsigned header) {
  const sock_filter nothing = {BPF_RET | BPF_K, 0, 0, 0};
  set_filter({&nothing, 1});
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = index;
  if (bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    refuse_because(o.interface, "cannot be bound to", errno);
  packet_mreq promiscuous{};
  promiscuous.mr_ifindex = index;
  promiscuous.mr_type = PACKET_MR_PROMISC;
  if (o.promiscuous && !set(socket_, PACKET_ADD_MEMBERSHIP, promiscuous))
    refuse_because(o.interface, "does not become promiscuous", errno);
  if (group_ == kAlone) return;

  const bool founding = group_ == kNewGroup;
  const int flags = PACKET_FANOUT_CBPF | (o.ignore_outgoing ? PACKET_FANOUT_FLAG_IGNORE_OUTGOING : 0);
  const int joining = founding ? (flags | PACKET_FANOUT_FLAG_UNIQUEID) << 16 : group_ | flags << 16;
  if (!set(socket_, PACKET_FANOUT, joining))
    refuse_because(o.interface,
                   "its frames cannot be shared by several queues; is it up? (ip link set " + o.interface + " up)",
                   errno);
  if (!founding) return;
  int joined = 0;
  socklen_t length = sizeof joined;
  getsockopt(socket_, SOL_PACKET, PACKET_FANOUT, &joined, &length);
  group_ = joined & 0xffff;
  std::vector<sock_filter> program = spread_program(header);
  const sock_fprog spread = {static_cast<unsigned short>(program.size()), program.data()};
  if (!set(socket_, PACKET_FANOUT_DATA, spread))
    refuse_because(o.interface, "the kernel refuses the program that shares frames between queues", errno);
}

void PacketRing::set_filter(std::span<const sock_filter> code) const {
  const sock_fprog program = {static_cast<unsigned short>(code.size()), const_cast<sock_filter*>(code.data())};
  if (setsockopt(socket_, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0)
    throw std::runtime_error(std::string("The kernel refuses a socket filter: ") + std::strerror(errno));
}

void PacketRing::start() {
  const sock_filter code[] = {
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE)},
      {BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint8_t>(ignore_outgoing_ ? 0 : 1), 1, PACKET_OUTGOING},
      {BPF_RET | BPF_K, 0, 0, 0},
      {BPF_RET | BPF_K, 0, 0, snap_length_},
  };
  set_filter(code);
}

tpacket_hdr_v1& PacketRing::block(std::size_t i) const {
  return reinterpret_cast<tpacket_block_desc*>(memory_ + i * block_octets_)->hdr.bh1;
}

bool PacketRing::is_ours(std::size_t ahead) const {
  const std::size_t i = (head_ + ahead) % blocks_;
  return (std::atomic_ref(block(i).block_status).load(std::memory_order_acquire) & TP_STATUS_USER) != 0;
}

// The kernel fills blocks in their order: those that wait stand in front of those that do not.
double PacketRing::backlog() const {
  std::size_t waiting = 0, end = blocks_ - held_;
  while (waiting < end) {
    const std::size_t middle = waiting + (end - waiting) / 2;
    if (is_ours(middle))
      waiting = middle + 1;
    else
      end = middle;
  }
  const std::size_t behind = held_ > 0 ? held_ - 1 : 0;  // without the block that is being read
  return static_cast<double>(behind + waiting) / static_cast<double>(blocks_);
}

bool PacketRing::open_block() {
  if (!ready()) return false;
  const tpacket_hdr_v1& b = block(head_);
  unread_ = left_[head_] = b.num_pkts;
  next_ = memory_ + head_ * block_octets_ + b.offset_to_first_pkt;
  if (++head_ == blocks_) head_ = 0;
  ++held_;
  if (unread_ == 0) give_back();
  return true;
}

void PacketRing::give_back() {
  while (held_ > 0 && left_[tail_] == 0) {
    std::atomic_ref(block(tail_).block_status).store(TP_STATUS_KERNEL, std::memory_order_release);
    if (++tail_ == blocks_) tail_ = 0;
    --held_;
  }
}

Frame PacketRing::frame_at(std::uint8_t* header) {
  const tpacket3_hdr& h = *reinterpret_cast<const tpacket3_hdr*>(header);
  Frame f = blank_;
  std::uint8_t* octets = header + h.tp_mac;
  std::size_t length = h.tp_snaplen;
  f.wire_length = h.tp_len;
  f.time = static_cast<Nanos>(h.tp_sec) * kSecond + h.tp_nsec;
  if ((h.tp_status & TP_STATUS_VLAN_VALID) != 0 && f.link == LinkType::ethernet && length >= 12) {
    const std::uint16_t type = (h.tp_status & TP_STATUS_VLAN_TPID_VALID) != 0 ? h.hv1.tp_vlan_tpid : ETH_P_8021Q;
    const std::uint16_t tag[] = {htons(type), htons(static_cast<std::uint16_t>(h.hv1.tp_vlan_tci))};
    octets -= kTag;
    std::memmove(octets, octets + kTag, 12);
    std::memcpy(octets + 12, tag, kTag);
    length += kTag;
    f.wire_length += kTag;
  }
  f.octets = {octets, length};
  return f;
}

std::size_t PacketRing::read(std::span<Frame> frames) {
  const std::uint32_t longest = longest_.load(std::memory_order_relaxed);
  std::size_t n = 0, oversized = 0;
  while (n < frames.size() && (unread_ > 0 || open_block())) {
    const std::size_t end = n + std::min<std::size_t>(unread_, frames.size() - n);
    unread_ -= static_cast<std::uint32_t>(end - n);
    for (; n < end; ++n) {
      frames[n] = frame_at(next_);
      oversized += frames[n].wire_length > longest ? 1 : 0;
      next_ += reinterpret_cast<const tpacket3_hdr*>(next_)->tp_next_offset;
    }
  }
  if (n > 0) received_.store(received() + n, std::memory_order_relaxed);
  if (oversized > 0) oversized_.store(this->oversized() + oversized, std::memory_order_relaxed);
  return n;
}

void PacketRing::release(std::size_t frames) {
  while (frames > 0 && held_ > 0) {
    const std::uint32_t n = static_cast<std::uint32_t>(std::min<std::size_t>(frames, left_[tail_]));
    left_[tail_] -= n;
    frames -= n;
    give_back();
  }
}

void PacketRing::wait(Nanos most) {
  if (unread_ > 0 || ready() || most <= 0) return;
  // The kernel takes a block that the reader holds for one that is to be read, and would not let it sleep.
  const bool holding = held_ > 0;
  if (holding) most = std::min(most, block_timeout_);
  pollfd fd = {socket_, static_cast<short>(holding ? 0 : POLLIN), 0};
  const timespec time = {most / kSecond, most % kSecond};
  if (ppoll(&fd, 1, &time, nullptr) <= 0 || (fd.revents & POLLERR) == 0) return;
  // The interface went down. The error stands in the way of sleep until somebody has asked for it.
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &length);
}

void PacketRing::set_mtu(std::uint32_t mtu) {
  const std::uint32_t around = blank_.link == LinkType::ethernet ? kEthernet + 2 * kTag : 0;
  longest_.store(mtu + around, std::memory_order_relaxed);
}

RingCounts PacketRing::take_counts() {
  tpacket_stats_v3 s{};
  socklen_t length = sizeof s;
  if (getsockopt(socket_, SOL_PACKET, PACKET_STATISTICS, &s, &length) != 0) return {};
  return {s.tp_packets, s.tp_drops};
}

}  // namespace probe::live
