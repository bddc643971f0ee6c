#include "probe/live/filter.h"

#include <pcap/pcap.h>

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace probe::live {
namespace {

constexpr LinkType kAll[] = {
    LinkType::ethernet, LinkType::raw_ip, LinkType::linux_cooked_v1, LinkType::linux_cooked_v2, LinkType::bsd_null,
    LinkType::bsd_loop, LinkType::ppp,    LinkType::unknown};

// libpcap takes BSD's address families for those of this machine and in its byte order, and expects FF 03 in front of
// every PPP frame. Captures have both otherwise, so there the expression is asked about the IP packet inside.
int dlt_of(LinkType link) {
  switch (link) {
    case LinkType::ethernet:
      return DLT_EN10MB;
    case LinkType::linux_cooked_v1:
      return DLT_LINUX_SLL;
    case LinkType::linux_cooked_v2:
      return DLT_LINUX_SLL2;
    case LinkType::raw_ip:
    case LinkType::bsd_null:
    case LinkType::bsd_loop:
    case LinkType::ppp:
      return DLT_RAW;
    case LinkType::unknown:
      break;
  }
  return -1;
}

// Octets in front of what the program looks at; more than there are if there is no IP inside.
std::size_t in_front(const Frame& f) {
  if (f.link == LinkType::bsd_null || f.link == LinkType::bsd_loop) return 4;
  if (f.link != LinkType::ppp) return 0;
  // RFC 1661 §2 and §6.5: the protocol takes one octet if the first one is odd. RFC 1662 §3.1: FF 03 may be in front.
  Cursor c(f.octets);
  std::size_t length = 0;
  std::uint16_t protocol = c.u8();
  if (protocol == 0xff) {
    c.u8();
    protocol = c.u8();
    length = 2;
  }
  const bool short_protocol = (protocol & 1) != 0;
  if (!short_protocol) protocol = static_cast<std::uint16_t>(protocol << 8 | c.u8());
  const bool ip = protocol == 0x0021 || protocol == 0x0057;
  return ip && c.ok() ? length + (short_protocol ? 1 : 2) : f.octets.size() + 1;
}

}  // namespace

Filter::Program Filter::compile(const std::string& expression, int dlt) {
  constexpr int kMostOctets = 262'144;  // what an accepting program returns; only 0 or not 0 is looked at
  if (dlt < 0) return {nullptr, "the link type is not known"};
  const std::unique_ptr<pcap_t, void (*)(pcap_t*)> dead(pcap_open_dead(dlt, kMostOctets), pcap_close);
  if (!dead) throw std::runtime_error("libpcap has no memory to compile a filter.");
  bpf_program program{};
  if (pcap_compile(dead.get(), &program, expression.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0)
    return {nullptr, pcap_geterr(dead.get())};
  const auto free_code = [program](const bpf_insn*) mutable { pcap_freecode(&program); };
  return {std::shared_ptr<const bpf_insn>(program.bf_insns, free_code), {}};
}

Filter::Filter(const std::string& expression) {
  const auto is_space = [](unsigned char c) { return std::isspace(c) != 0; };
  if (std::all_of(expression.begin(), expression.end(), is_space)) return;
  expression_ = expression;
  bool sensible = false;
  for (const LinkType link : kAll) {
    Program& p = programs_[static_cast<std::size_t>(link)];
    p = compile(expression, dlt_of(link));
    sensible = sensible || p.code != nullptr;
  }
  if (sensible) return;
  throw std::runtime_error("The capture filter \"" + expression + "\" is not understood: " + programs_[0].objection +
                           ". Its syntax is that of tcpdump, see pcap-filter(7).");
}

const std::string& Filter::objection(LinkType link) const {
  return programs_[static_cast<std::size_t>(link)].objection;
}

bool Filter::matches(const Frame& f) const {
  const bpf_insn* code = programs_[static_cast<std::size_t>(f.link)].code.get();
  const std::size_t skip = in_front(f);
  if (code == nullptr || skip > f.octets.size()) return false;
  const Bytes seen = f.octets.subspan(skip);
  return bpf_filter(code, seen.data(), f.wire_length, static_cast<unsigned>(seen.size())) != 0;
}

}  // namespace probe::live
