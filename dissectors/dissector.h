// What a protocol has to provide. One file a protocol; the file's name is the protocol's name.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <span>
#include <string_view>

#include "dissectors/kit/flow_end.h"
#include "dissectors/notebook.h"
#include "dissectors/shared.h"
#include "exporter/record/record.h"
#include "probe/base/bytes.h"
#include "probe/base/nanos.h"

namespace probe {

enum class Side : std::uint8_t { client, server };
constexpr Side other(Side s) { return s == Side::client ? Side::server : Side::client; }
constexpr std::size_t index_of(Side s) { return static_cast<std::size_t>(s); }

// What a protocol thinks of the first octets of one side of a conversation. `maybe` asks for more octets; `from_client`
// and `from_server` say: ours, and this side is the client or the server, whatever the ports make believe. `trial`,
// over UDP only: may be ours, more datagrams will tell; unless another is sure, a session is opened that is on trial
// for as long as it is unsure.
enum class Guess : std::uint8_t { no, maybe, from_client, from_server, trial };

enum class Over : std::uint8_t { tcp, udp, both };

inline constexpr Nanos kNoTime = std::numeric_limits<Nanos>::min();

// When the first and the last octet of a piece of data passed the probe.
struct Arrival {
  Nanos first = kNoTime;
  Nanos last = kNoTime;
};

// The answer to data.
struct Step {
  enum class What : std::uint8_t { used, need, skip, not_ours, unsure };
  What what;
  std::uint64_t octets;

  // `n` octets are dealt with; the next call begins behind them (at once, if there is more).
  static constexpr Step used(std::uint64_t n) { return {What::used, n}; }
  // Do not call again before `n` octets are there, counted from the front of this call's data, or the side has ended.
  // At most kMostNeeded: beyond that the flow is given up and counted.
  static constexpr Step need(std::uint64_t n) { return {What::need, n}; }
  // Of the next `n` octets, from the front of this call's data, nobody wants to see anything: they are not buffered,
  // and gaps within them are harmless. When they have passed, on_data is called with no data and their arrival.
  static constexpr Step skip(std::uint64_t n) { return {What::skip, n}; }
  // This is not our protocol, or there is no way to go on: the session is closed.
  static constexpr Step not_ours() { return {What::not_ours, 0}; }
  // Only of a session on trial (Guess::trial): this datagram has been looked at and proves nothing. Until it answers
  // something else such a session commits nothing; if that is not_ours(), the other protocols are asked again.
  static constexpr Step unsure() { return {What::unsure, 0}; }
};
inline constexpr std::size_t kMostNeeded = 16 * 1024;
inline constexpr std::uint64_t kToTheEnd = std::numeric_limits<std::uint64_t>::max();  // skip: until the side ends

// Times and sizes of one request and its response at the probe (docs/METRICS.md, application response times). What was
// not seen stays kNoTime.
struct Exchange {
  Nanos request_first = kNoTime;
  Nanos request_last = kNoTime;
  Nanos response_first = kNoTime;
  Nanos response_last = kNoTime;
  std::uint64_t request_octets = 0;
  std::uint64_t response_octets = 0;
  std::uint32_t quality = 0;  // bits of probe/base/quality.h that the dissector itself has to say
  bool about_server = false;  // the record is about what the server sent or asked: its source is the server
};

// Which flow a session is about.
struct FlowEnds {
  std::array<FlowEnd, 2> side;  // index_of(Side)
  std::uint64_t flow_id = 0;    // element flowId
  bool datagrams = false;       // over UDP
};

// Where records come from and where they go. Fields that all records of a flow share, and everything that follows from
// an Exchange, are filled in behind it.
class Scribe {
 public:
  virtual ~Scribe() = default;
  template <schema::Name Kind>
  Draft<Kind> open() {
    return Draft<Kind>(take(schema::find_kind(Kind.view())));
  }
  template <schema::Name Kind>
  void commit(Draft<Kind>& d, const Exchange& e) {
    if (Record* r = d.release()) put(r, e);
  }
  // Memory for what a session must remember beyond its slot.
  virtual Notebook& notes() = 0;
  // What was learnt in other flows, and told to them.
  virtual Shared& shared() = 0;
  MediaTable& media() { return shared().media; }
  virtual FlowEnds ends() const = 0;

 private:
  virtual Record* take(std::size_t kind) = 0;
  virtual void put(Record*, const Exchange&) = 0;
};

// State of one protocol in one flow, in a slot of a pool; its destructor runs when the flow ends. There are as many as
// flows: what few of them need belongs into the notebook (dissectors/kit/few.h).
class Session {
 public:
  virtual ~Session() = default;
  // The next octets of one side, in order, in place; they are gone after the call. Over UDP: one datagram a call, all
  // used. No data at all: what was skipped has passed.
  virtual Step on_data(Side from, Bytes data, Arrival at, Scribe&) = 0;
  // `octets` are missing before the next data of this side: resynchronise, or drop what is half done.
  virtual void on_gap(Side, std::uint64_t /*octets*/, Scribe&) {}
  // This side sends no more (FIN or RST; `at.last`: its last data). Called at most once a side, before on_end.
  virtual void on_side_end(Side, Arrival /*at*/, Scribe&) {}
  // The flow is over, or was given up: commit what is half done.
  virtual void on_end(Scribe&) {}
  // Over UDP: until when something is waited for, so that the flow is kept although nothing passes for longer than its
  // timeout.
  virtual Nanos waits_until() const { return kNoTime; }
};

inline constexpr std::size_t kSessionOctets = 1024;  // at most

// Constant data, one per protocol.
struct Dissector {
  std::string_view name;  // also the value of applicationName
  Over over;
  std::span<const std::uint16_t> ports;  // of servers; asked first there, asked last elsewhere
  Guess (*guess)(Bytes first, Side from);
  Session* (*open)(void* slot);  // placement, never the heap
  std::size_t session_octets;    // of that slot
  // Whether what a session learns of this payload may concern other flows (Scribe::shared()); nullptr: never.
  bool (*announces)(Bytes payload);
};

template <class S>
constexpr Dissector describe(std::string_view name, Over over, std::span<const std::uint16_t> ports) {
  static_assert(sizeof(S) <= kSessionOctets, "session state outgrew its slot");
  Dissector d{name, over, ports, &S::guess, [](void* slot) -> Session* { return new (slot) S; }, sizeof(S), nullptr};
  if constexpr (requires { &S::announces; }) d.announces = &S::announces;
  return d;
}

}  // namespace probe
