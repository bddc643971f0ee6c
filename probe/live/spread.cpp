#include "probe/live/spread.h"

#include <linux/if_packet.h>

#include <cstddef>
#include <cstdint>

namespace probe::live {
namespace {

// Writes instructions one after the other; jumps only go forward, to labels that are put later.
class Writer {
 public:
  struct Label {
    std::vector<std::size_t> jumps;  // instructions that go there
  };

  void put(std::uint16_t code, std::uint32_t k = 0) { code_.push_back({code, 0, 0, k}); }
  void go(Label& to) {
    to.jumps.push_back(code_.size());
    put(BPF_JMP | BPF_JA);
  }
  // Goes there if the test of the accumulator against k holds, else to the next instruction.
  void go_if(std::uint16_t test, std::uint32_t k, Label& to) {
    code_.push_back({static_cast<std::uint16_t>(BPF_JMP | test | BPF_K), 0, 1, k});
    go(to);
  }
  void here(const Label& label) {
    for (const std::size_t jump : label.jumps) code_[jump].k = static_cast<std::uint32_t>(code_.size() - jump - 1);
  }

  // Octets at an offset from where the IP header, or what is in front of it, begins.
  void load(std::uint16_t size, std::uint32_t offset) {
    put(BPF_LDX | BPF_MEM, kStart);
    put(BPF_LD | size | BPF_IND, offset);
  }
  void move_start(std::uint32_t octets) {
    put(BPF_LD | BPF_MEM, kStart);
    put(BPF_ALU | BPF_ADD | BPF_K, octets);
    put(BPF_ST, kStart);
  }
  void add_to_sum(std::uint16_t size, std::uint32_t offset) {
    load(size, offset);
    put(BPF_LDX | BPF_MEM, kSum);
    put(BPF_ALU | BPF_ADD | BPF_X);
    put(BPF_ST, kSum);
  }

  static constexpr std::uint32_t kStart = 0, kSum = 1, kType = 2;  // cells of the program's memory
  std::vector<sock_filter> code() && { return std::move(code_); }

 private:
  std::vector<sock_filter> code_;
};

using Label = Writer::Label;

constexpr std::uint32_t ancillary(int what) { return static_cast<std::uint32_t>(SKF_AD_OFF + what); }

void find_start(Writer& w, unsigned header) {
  Label sent, known;
  w.put(BPF_LD | BPF_B | BPF_ABS, ancillary(SKF_AD_PKTTYPE));
  w.go_if(BPF_JEQ, PACKET_OUTGOING, sent);
  w.put(BPF_LD | BPF_IMM, 0);
  w.go(known);
  w.here(sent);
  w.put(BPF_LD | BPF_IMM, header);
  w.here(known);
  w.put(BPF_ST, Writer::kStart);
  w.put(BPF_LD | BPF_IMM, 0);
  w.put(BPF_ST, Writer::kSum);
  w.put(BPF_LD | BPF_W | BPF_ABS, ancillary(SKF_AD_PROTOCOL));
}

// The type of what follows is in the accumulator, before and after. The first tag is off already, unless the frame is
// one that this machine sends.
void skip_tags(Writer& w) {
  constexpr int kMostTags = 3;
  Label done;
  for (int i = 0; i < kMostTags; ++i) {
    Label tag;
    for (const std::uint32_t type : {0x8100u, 0x88a8u, 0x9100u}) w.go_if(BPF_JEQ, type, tag);
    w.go(done);
    w.here(tag);
    w.load(BPF_H, 2);
    w.put(BPF_ST, Writer::kType);
    w.move_start(4);
    w.put(BPF_LD | BPF_MEM, Writer::kType);
  }
  w.here(done);
}

// RFC 3032 §2.1: the bottom of the stack has the S bit; what follows shows by its version that it is IP.
void skip_labels(Writer& w, Label& by_version, Label& other) {
  constexpr int kMostLabels = 6;
  for (int i = 0; i < kMostLabels; ++i) {
    Label bottom;
    w.load(BPF_B, 2);
    w.go_if(BPF_JSET, 1, bottom);
    w.move_start(4);
    Label next;
    w.go(next);
    w.here(bottom);
    w.move_start(4);
    w.go(by_version);
    w.here(next);
  }
  w.go(other);
}

// Ports of TCP that is no fragment; x is where it begins.
void add_ports(Writer& w) {
  constexpr std::uint32_t kSpread = 0x85ebca6b;  // odd, so that no sum of ports is lost
  w.put(BPF_LD | BPF_H | BPF_IND, 0);
  w.put(BPF_ST, Writer::kType);
  w.put(BPF_LD | BPF_H | BPF_IND, 2);
  w.put(BPF_LDX | BPF_MEM, Writer::kType);
  w.put(BPF_ALU | BPF_ADD | BPF_X);
  w.put(BPF_ALU | BPF_MUL | BPF_K, kSpread);
  w.put(BPF_LDX | BPF_MEM, Writer::kSum);
  w.put(BPF_ALU | BPF_ADD | BPF_X);
  w.put(BPF_ST, Writer::kSum);
}

constexpr std::uint32_t kTcp = 6;

void take_ipv4(Writer& w, Label& done) {
  for (const std::uint32_t address : {12u, 16u}) w.add_to_sum(BPF_W, address);
  Label tcp;
  w.load(BPF_B, 9);
  w.go_if(BPF_JEQ, kTcp, tcp);
  w.go(done);
  w.here(tcp);
  w.load(BPF_H, 6);
  w.go_if(BPF_JSET, 0x3fff, done);  // more fragments, or an offset: RFC 791 §3.1
  w.load(BPF_B, 0);
  w.put(BPF_ALU | BPF_AND | BPF_K, 15);
  w.put(BPF_ALU | BPF_LSH | BPF_K, 2);
  w.put(BPF_ALU | BPF_ADD | BPF_X);  // x is the start still
  w.put(BPF_MISC | BPF_TAX);
  add_ports(w);
  w.go(done);
}

void take_ipv6(Writer& w, Label& done) {
  for (std::uint32_t word = 8; word < 40; word += 4) w.add_to_sum(BPF_W, word);
  Label tcp;
  w.load(BPF_B, 6);
  w.go_if(BPF_JEQ, kTcp, tcp);  // behind an extension header, such as that of a fragment, it is not looked for
  w.go(done);
  w.here(tcp);
  w.put(BPF_LD | BPF_MEM, Writer::kStart);
  w.put(BPF_ALU | BPF_ADD | BPF_K, 40);
  w.put(BPF_MISC | BPF_TAX);
  add_ports(w);
  w.go(done);
}

// The kernel takes the remainder by the number of sockets: every bit has to depend on the whole sum.
void answer(Writer& w) {
  w.put(BPF_LD | BPF_MEM, Writer::kSum);
  for (const std::uint32_t factor : {0x9e3779b1u, 0x85ebca77u}) {
    w.put(BPF_MISC | BPF_TAX);
    w.put(BPF_ALU | BPF_RSH | BPF_K, 15);
    w.put(BPF_ALU | BPF_XOR | BPF_X);
    w.put(BPF_ALU | BPF_MUL | BPF_K, factor);
  }
  w.put(BPF_ALU | BPF_RSH | BPF_K, 16);
  w.put(BPF_RET | BPF_A);
}

}  // namespace

std::vector<sock_filter> spread_program(unsigned header) {
  Writer w;
  Label ipv4, ipv6, mpls, pppoe, by_version, other, done;
  find_start(w, header);
  skip_tags(w);
  w.go_if(BPF_JEQ, 0x0800, ipv4);
  w.go_if(BPF_JEQ, 0x86dd, ipv6);
  w.go_if(BPF_JEQ, 0x8847, mpls);
  w.go_if(BPF_JEQ, 0x8848, mpls);
  w.go_if(BPF_JEQ, 0x8864, pppoe);
  w.go(other);
  w.here(pppoe);
  w.move_start(8);  // RFC 2516 §4, and the protocol of PPP in two octets
  w.go(by_version);
  w.here(mpls);
  skip_labels(w, by_version, other);
  w.here(by_version);
  w.load(BPF_B, 0);
  w.put(BPF_ALU | BPF_RSH | BPF_K, 4);
  w.go_if(BPF_JEQ, 4, ipv4);
  w.go_if(BPF_JEQ, 6, ipv6);
  w.here(other);
  w.put(BPF_RET | BPF_K, 0);
  w.here(ipv4);
  take_ipv4(w, done);
  w.here(ipv6);
  take_ipv6(w, done);
  w.here(done);
  answer(w);
  return std::move(w).code();
}

}  // namespace probe::live
