// A capture filter in the syntax of tcpdump (pcap-filter(7)), compiled by libpcap and run before any other work.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>

#include "probe/packet/frame.h"

struct bpf_insn;

namespace probe::live {

// What libpcap's caveats mean here: `port 80` looks for IP behind the frame's first EtherType, so that it does not
// match what has a VLAN tag. `port 80 or (vlan and port 80)` matches both; the order counts, because behind `vlan`
// every offset is 4 octets farther.
class Filter {
 public:
  // Lets everything pass, as the empty expression does.
  Filter() = default;
  // Throws std::runtime_error with a sentence that quotes the expression and says what libpcap has against it.
  explicit Filter(const std::string& expression);

  bool passes(const Frame& f) const { return expression_.empty() || matches(f); }

  const std::string& expression() const { return expression_; }
  // Empty, or why no frame of this link type can ever pass: `ether host …` means nothing where there is no Ethernet.
  const std::string& objection(LinkType) const;

 private:
  static constexpr std::size_t kLinkTypes = static_cast<std::size_t>(LinkType::unknown) + 1;
  struct Program {
    std::shared_ptr<const bpf_insn> code;  // null: nothing passes
    std::string objection;
  };
  static Program compile(const std::string& expression, int dlt);
  bool matches(const Frame&) const;

  std::string expression_;
  std::array<Program, kLinkTypes> programs_;
};

}  // namespace probe::live
