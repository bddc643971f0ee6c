// What a SIP message says (RFC 3261), as far as transactions are told by it.
#pragma once

#include <cstdint>
#include <string_view>

#include "dissectors/kit/text_message.h"

namespace probe::sip {

extern const text_message::Protocol kProtocol;

struct Message {
  text_message::Start start;
  std::string_view method;   // of CSeq: what a response is about
  std::uint32_t number = 0;  // of CSeq
  std::string_view call_id, via, user_agent, server, content_type;
  std::string_view from, to;  // URIs
  std::string_view to_tag;
  // RFC 3261 §17.1.3, §17.2.3: the method of CSeq and the branch of the topmost Via, ACK counting as INVITE; older
  // messages are told by Call-ID and the number of CSeq, which take part always.
  std::uint64_t transaction = 0;
  // Call-ID and number of CSeq: by these the ACK of a 2xx, a transaction of its own (§13.2.2.4), knows its INVITE.
  std::uint64_t request = 0;
  std::string_view body;
  std::uint64_t octets = 0;
  bool whole = false;

  bool is_request() const { return start.is_request(); }
  bool is_invite() const { return method == "INVITE"; }
};

// False: what every message has is missing (RFC 3261 §8.1.1).
bool parse(const text_message::Message&, Message& out);

// "Anna" <sip:anna@example.org;transport=udp>;tag=1: what stands between the brackets, or before the parameters.
std::string_view uri_of(std::string_view address);

}  // namespace probe::sip
