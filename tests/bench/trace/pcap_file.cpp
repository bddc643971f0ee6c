#include "tests/bench/trace/pcap_file.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "tests/bench/trace/text.h"

namespace trace {
namespace {

constexpr std::size_t kEthernetHeader = 14, kIpv4Header = 20, kIpv6Header = 40, kTcpHeader = 20, kUdpHeader = 8;
constexpr std::uint8_t kTcp = 6, kUdp = 17;

void put16(std::uint8_t* at, std::size_t v) {
  at[0] = static_cast<std::uint8_t>(v >> 8);
  at[1] = static_cast<std::uint8_t>(v);
}

void put32(std::uint8_t* at, std::uint32_t v) {
  put16(at, v >> 16);
  put16(at + 2, v & 0xffff);
}

std::uint32_t sum(std::uint32_t start, const std::uint8_t* p, std::size_t n) {
  for (; n > 1; p += 2, n -= 2) start += static_cast<std::uint32_t>(p[0]) << 8 | p[1];
  return n == 1 ? start + (static_cast<std::uint32_t>(p[0]) << 8) : start;
}

std::uint16_t folded(std::uint32_t s) {
  while (s >> 16) s = (s & 0xffff) + (s >> 16);
  return static_cast<std::uint16_t>(~s);
}

void put_ipv6(std::uint8_t* at, std::uint8_t site, std::uint32_t host) {  // 2001:db8:SITE::HOST
  const std::uint8_t prefix[12] = {0x20, 1, 0x0d, 0xb8, 0, site, 0, 0, 0, 0, 0, 0};
  std::memcpy(at, prefix, sizeof prefix);
  put32(at + 12, host);
}

std::uint32_t clock_of(const Flow& flow, int way, Micros at) {  // RFC 7323 §5.4: a tick of a millisecond
  return flow.timestamp_base[way] + static_cast<std::uint32_t>(at / 1000);
}

// The options of a SYN: segment size, SACK, timestamps if the flow has them, window scale, padding.
std::size_t syn_options(const Flow& flow, const Event& event, std::uint8_t* to) {
  std::size_t n = 0;
  const auto add = [&](std::initializer_list<std::uint8_t> octets) {
    for (const std::uint8_t o : octets) to[n++] = o;
  };
  add({2, 4, 0, 0});
  put16(to + 2, flow.ipv6 ? 1440 : 1460);
  add({4, 2});
  if (flow.timestamps) {
    add({8, 10, 0, 0, 0, 0, 0, 0, 0, 0});
    put32(to + n - 8, clock_of(flow, event.way, event.time));
    put32(to + n - 4, event.way == kUp ? 0 : clock_of(flow, kUp, flow.start));
  }
  add({1, 3, 3, 7});
  while (n % 4 != 0) add({1});
  return n;
}

std::size_t options(const Flow& flow, const Event& event, std::uint8_t* to) {
  if (event.flags & kSyn) return syn_options(flow, event, to);
  if (!flow.timestamps) return 0;
  const std::uint8_t head[4] = {1, 1, 8, 10};
  std::memcpy(to, head, sizeof head);
  put32(to + 4, clock_of(flow, event.way, event.time));
  put32(to + 8, clock_of(flow, 1 - event.way, event.time));
  return 12;
}

}  // namespace

PcapFile::PcapFile(const std::string& path) : file_(std::fopen(path.c_str(), "wb"), &std::fclose) {
  if (!file_) throw std::runtime_error("cannot write " + path);
  std::setvbuf(file_.get(), nullptr, _IOFBF, 1 << 20);
  const std::uint32_t header[6] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1};
  std::fwrite(header, sizeof header, 1, file_.get());
}

void PcapFile::write(Flow& flow, const Event& event) {
  const bool udp = flow.kind == Kind::dns;
  const std::size_t length = udp ? write_udp(flow, event) : write_tcp(flow, event);
  ++(udp ? udp_packets_ : tcp_packets_);
  octets_ += length;
  const auto size = static_cast<std::uint32_t>(length);
  const std::uint32_t header[4] = {static_cast<std::uint32_t>(event.time / 1000000),
                                   static_cast<std::uint32_t>(event.time % 1000000), size, size};
  std::fwrite(header, sizeof header, 1, file_.get());
  std::fwrite(frame_.data(), 1, length, file_.get());
}

void PcapFile::close() {
  const bool bad = std::ferror(file_.get()) != 0;
  if (std::fclose(file_.release()) != 0 || bad) throw std::runtime_error("the trace could not be written whole");
}

// Ethernet and IP; returns where the transport header begins.
std::size_t PcapFile::write_network(Flow& flow, int way, std::uint8_t protocol, std::size_t length) {
  static constexpr std::uint8_t kMac[2][6] = {{0x02, 0xc1, 1, 1, 1, 1}, {0x02, 0x51, 2, 2, 2, 2}};
  std::uint8_t* p = frame_.data();
  std::memcpy(p, kMac[1 - way], 6);
  std::memcpy(p + 6, kMac[way], 6);
  const std::uint32_t from = way == kUp ? flow.client_address : flow.server_address;
  const std::uint32_t to = way == kUp ? flow.server_address : flow.client_address;
  std::uint8_t* ip = p + kEthernetHeader;
  if (flow.ipv6) {
    put16(p + 12, 0x86dd);
    std::memset(ip, 0, kIpv6Header);
    ip[0] = 0x60;
    put16(ip + 4, length);
    ip[6] = protocol;
    ip[7] = flow.hop_limit[way];
    put_ipv6(ip + 8, way == kUp ? 1 : 2, from);
    put_ipv6(ip + 24, way == kUp ? 2 : 1, to);
    return kEthernetHeader + kIpv6Header;
  }
  put16(p + 12, 0x0800);
  std::memset(ip, 0, kIpv4Header);
  ip[0] = 0x45;
  put16(ip + 2, kIpv4Header + length);
  put16(ip + 4, flow.ip_id[way]++);
  put16(ip + 6, 0x4000);  // do not fragment
  ip[8] = flow.hop_limit[way];
  ip[9] = protocol;
  put32(ip + 12, from);
  put32(ip + 16, to);
  put16(ip + 10, folded(sum(0, ip, kIpv4Header)));
  return kEthernetHeader + kIpv4Header;
}

// Over the pseudo header, too: RFC 9293 §3.1, RFC 8200 §8.1.
std::uint16_t PcapFile::transport_checksum(const Flow& flow, std::uint8_t protocol, std::size_t at,
                                           std::size_t length) const {
  const std::uint8_t* p = frame_.data();
  const std::uint32_t pseudo = static_cast<std::uint32_t>(protocol + length);
  const std::uint32_t addresses =
      flow.ipv6 ? sum(pseudo, p + kEthernetHeader + 8, 32) : sum(pseudo, p + kEthernetHeader + 12, 8);
  return folded(sum(addresses, p + at, length));
}

std::size_t PcapFile::write_tcp(Flow& flow, const Event& event) {
  std::uint8_t chosen[40] = {};
  const std::size_t option_length = options(flow, event, chosen);
  const std::size_t length = kTcpHeader + option_length + event.text.size() + event.fill;
  const std::size_t at = write_network(flow, event.way, kTcp, length);
  std::uint8_t* t = frame_.data() + at;
  put16(t, event.way == kUp ? flow.client_port : flow.server_port);
  put16(t + 2, event.way == kUp ? flow.server_port : flow.client_port);
  put32(t + 4, event.sequence);
  put32(t + 8, event.acknowledgement);
  t[12] = static_cast<std::uint8_t>((kTcpHeader + option_length) / 4 << 4);
  t[13] = event.flags;
  put16(t + 14, event.window);
  put32(t + 16, 0);  // checksum, urgent pointer
  std::memcpy(t + kTcpHeader, chosen, option_length);
  std::uint8_t* payload = t + kTcpHeader + option_length;
  std::copy(event.text.begin(), event.text.end(), payload);
  if (event.fill > 0) std::memcpy(payload + event.text.size(), filler().data() + event.fill_from, event.fill);
  put16(t + 16, transport_checksum(flow, kTcp, at, length));
  return at + length;
}

std::size_t PcapFile::write_udp(Flow& flow, const Event& event) {
  const std::size_t length = kUdpHeader + event.text.size();
  const std::size_t at = write_network(flow, event.way, kUdp, length);
  std::uint8_t* t = frame_.data() + at;
  put16(t, event.way == kUp ? flow.client_port : flow.server_port);
  put16(t + 2, event.way == kUp ? flow.server_port : flow.client_port);
  put16(t + 4, length);
  put16(t + 6, 0);
  std::copy(event.text.begin(), event.text.end(), t + kUdpHeader);
  const std::uint16_t checksum = transport_checksum(flow, kUdp, at, length);
  put16(t + 6, checksum == 0 ? 0xffff : checksum);  // RFC 768: 0 means none
  return at + length;
}

}  // namespace trace
