// The payload of one flow: which protocol it is, and what its dissector makes of it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "dissectors/dissector.h"
#include "dissectors/notebook.h"
#include "probe/base/counters.h"
#include "probe/base/pool.h"
#include "probe/base/prefetch.h"
#include "probe/base/quality.h"
#include "probe/packet/packet.h"
#include "probe/pipeline/registry.h"
#include "probe/tcp/stream.h"

namespace probe {

class Conversation;

struct DissectionOptions {
  std::uint64_t enabled = ~std::uint64_t{0};  // bit i: dissectors()[i]
  std::size_t conversations = 1 << 18;
  std::size_t sessions = 1 << 16;  // of each protocol
  std::size_t notes = 1 << 13;
  tcp::StreamOptions streams;
  Shared* shared = nullptr;      // what all workers share; without it there is one of its own
  SharedOptions shared_options;  // of that
};

// What happened to the flows of one dissector. Other threads may read it.
struct DissectorCounters {
  Count flows;         // sessions opened
  Count transactions;  // records committed; counted by the Scribe
  Count gaps;          // gaps told to its sessions
  Count not_ours;      // sessions that ended by Step::not_ours
  Count given_up;      // sessions ended because they made no progress or needed too much

  DissectorCounters& operator+=(const DissectorCounters& other);
};

// What the conversations of one thread share.
class Dissection {
 public:
  // `all`: the dissectors to ask; tests have their own.
  Dissection(const DissectionOptions&, Counters&, std::span<const Dissector* const> all = dissectors());

  // nullptr, and counted, if there is no room. Ended by finish() and close().
  Conversation* open();
  void close(Conversation*);

  Notebook& notes() { return notes_; }
  Shared& shared() { return *shared_; }
  std::span<const Dissector* const> all() const { return all_; }
  DissectorCounters& of(std::size_t dissector) { return by_dissector_[dissector]; }
  const DissectorCounters& of(std::size_t dissector) const { return by_dissector_[dissector]; }
  // Slots and blocks of all pools that are handed out.
  std::size_t in_use() const;
  // Memory of all pools.
  std::size_t octets() const;

 private:
  friend class Conversation;
  std::uint64_t at_port(std::uint16_t port) const;

  struct Port {
    std::uint16_t port;
    std::uint64_t dissectors;
  };
  std::span<const Dissector* const> all_;
  Counters& counters_;
  std::uint64_t over_tcp_ = 0, over_udp_ = 0;  // enabled ones
  std::vector<Port> ports_;                    // sorted
  SlotPool conversations_;
  std::vector<std::unique_ptr<SlotPool>> sessions_;  // by dissector
  tcp::StreamPool streams_;
  Notebook notes_;
  std::unique_ptr<Shared> own_shared_;
  Shared* shared_;
  std::array<DissectorCounters, kMostDissectors> by_dissector_;
};

// What the flow knows that its conversation should.
struct FlowFacts {
  unsigned client = 0;  // sender that is the client as far as is known: 0 the key's low endpoint, 1 the high one
  bool client_certain = false;  // a SYN or SYN-ACK told
  bool start_seen = false;      // this is the first payload of its sender: for UDP always; for TCP the SYN was seen
  std::array<bool, 2> first_known{};  // TCP, by sender: a SYN told the sequence number of the first octet (ISN + 1)
  std::array<std::uint32_t, 2> first_sequence{};
};

class Conversation {
 public:
  // One packet of the flow that carries payload, FIN or RST (all others: on_acknowledged).
  // Its own acknowledgement number is taken into account.
  void on_payload(const Packet&, const FlowFacts&, Scribe&);
  // A TCP packet without payload says that the data of `data_sender` before `sequence` have arrived.
  void on_acknowledged(unsigned data_sender, std::uint32_t sequence, Nanos now, Scribe& s) {
    if (streams_[data_sender].minds(sequence)) acknowledge(data_sender, sequence, now, false, s);
  }
  // The flow is over: what is left is handed on, the session ended. The conversation is dead afterwards.
  void finish(Scribe&);

  // Brings what a packet will touch here into the cache.
  void prefetch(const Packet& p) const {
    if (p.ends_tcp()) return prefetch_object(this);
    probe::prefetch(this);
    probe::prefetch(&streams_[1]);  // the first one begins in the line before
    if (p.payload_length > 0 && !p.from_high) probe::prefetch(&streams_[0].last_hot());
  }
  // Brings what its dissector will read into the cache, if it will look at the packet. Whether it will can be told.
  bool prefetch_session(const Packet& p) const {
    const bool looks = p.payload_length > 0 ? !streams_[p.from_high].skips(p.payload_length) : p.ends_tcp();
    if (session_ && looks) prefetch_octets(session_, kHotSessionOctets);
    return looks;
  }

  // Until when its dissector waits for something; kNoTime: it does not.
  Nanos waits_until() const { return session_ ? session_->waits_until() : kNoTime; }
  // Octets that came wait for some that have not.
  bool has_hole() const { return streams_[0].has_hole() || streams_[1].has_hole(); }

  // Nothing more is to be learnt: finish() and close() it, and do not open another for this flow.
  bool dead() const { return state_ == State::dead; }
  // The protocol, which stays known after the conversation died; nullptr: none (yet).
  const Dissector* protocol() const { return protocol_ == kNone || on_trial_ ? nullptr : home_->all()[protocol_]; }
  std::size_t protocol_index() const { return protocol_; }  // in Dissection::all(), if protocol()
  // Who is the client by the octets of the payload: 0 or 1; -1 if they do not tell.
  int client() const { return client_told_ ? client_ : -1; }
  // Bits of probe/base/quality.h: stream_gap, not_dissected.
  std::uint32_t quality() const {
    return (gap_ ? bit_of(Quality::stream_gap) : 0) | (no_session_ ? bit_of(Quality::not_dissected) : 0);
  }

 private:
  friend class Dissection;
  enum class State : std::uint8_t { guessing, open, dead };
  struct Verdict {
    Guess guess = Guess::no;
    std::uint8_t dissector = 0;
  };
  static constexpr std::uint8_t kNone = 0xff;
  static constexpr std::size_t kHotSessionOctets = 256;
  static constexpr std::uint8_t kMostTries = 8;  // data segments a side, if the start was not seen

  explicit Conversation(Dissection& d) : home_(&d) {}
  void begin(const Packet&, const FlowFacts&);
  void acknowledge(unsigned data_sender, std::uint32_t sequence, Nanos now, bool answer, Scribe&);
  void on_segment(const Packet&, unsigned sender, const FlowFacts&, Scribe&);
  void on_reset(const Packet&, unsigned sender, Scribe&);
  void on_datagram(const Packet&, unsigned sender, Scribe&);
  bool guess_datagram(const Packet&, unsigned sender);
  void judge(Step, const Packet&, unsigned sender, Scribe&);
  void read(unsigned sender, tcp::StreamReader&, Scribe&);

  void guess(unsigned sender, tcp::StreamReader&, const tcp::Piece&, Scribe&);
  Verdict ask(unsigned sender, Bytes first, bool last_chance);
  Verdict ask_these(std::uint64_t dissectors, Side from, Bytes first, bool last_chance);
  void count_try(unsigned sender, std::uint8_t most);
  bool exhausted(unsigned sender) const { return state_ == State::guessing && tries_[sender] >= kMostTries; }
  bool open(const Verdict&, unsigned sender);
  void catch_up(unsigned sender, Scribe&);

  bool dissect(unsigned sender, tcp::StreamReader&, const tcp::Piece&, Scribe&);
  bool answer(tcp::StreamReader&, const tcp::Piece&, Step);
  void give_up(Scribe&);
  void leave(Scribe&);
  void die(Scribe&);
  void close_session(Scribe&);
  Side side_of(unsigned sender) const { return sender == client_ ? Side::client : Side::server; }

  Dissection* home_;
  Session* session_ = nullptr;
  State state_ = State::guessing;
  std::uint8_t protocol_ = kNone;
  std::uint8_t client_ = 0;
  std::uint8_t idle_ = 0;  // answers in a row that got nobody further
  std::array<std::uint8_t, 2> tries_{};
  bool on_trial_ = false;     // the session is not sure yet that this is its protocol
  bool client_told_ = false;  // by the protocol
  bool begun_ = false;
  bool from_start_ = false;
  bool gap_ = false;
  bool no_session_ = false;                         // there was no memory for one
  std::uint64_t candidates_ = 0;                    // dissectors that may turn out to be right
  std::uint64_t preferred_ = 0;                     // those of the flow's ports
  alignas(16) std::array<tcp::Stream, 2> streams_;  // by sender; the hot part of the second one is a cache line
};
static_assert(sizeof(Conversation) <= 256);

}  // namespace probe
