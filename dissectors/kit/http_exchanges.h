// Which response answers which request: HTTP/1 answers in order (RFC 9112 §9.3.2), so requests wait in a queue.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dissectors/dissector.h"
#include "dissectors/kit/few.h"
#include "probe/base/quality.h"

namespace probe::http {

// A request on its way to its response.
struct Request {
  Draft<"http"> draft;
  Nanos first = kNoTime;
  Nanos last = kNoTime;
  std::uint64_t octets = 0;
  std::uint32_t quality = 0;
  bool to_head = false;
  bool to_connect = false;

  void mark(Quality q) { quality |= bit_of(q); }
};

// The transactions of one connection. Pairs only what surely belongs together: after a loss, requests and responses
// whose partner is in doubt are committed by themselves, as half transactions.
class Exchanges {
 public:
  static constexpr std::size_t kMostWaiting = 16;

  // The request being sent; nullptr if there is none, or its record has gone already.
  Request* request() { return writing_; }
  Request& begin_request(Arrival at, Scribe&);
  void end_request(Scribe&);
  void cut_request(Scribe&);  // there is no more of it, though it has not ended
  void drop_request();        // it was none

  // The request that the response under way answers; only one with its own times if there was none.
  Request& answered() { return current_; }
  void begin_response(Arrival at, Scribe&);
  void add_response_octets(std::uint64_t n) { response_octets_ += n; }
  void end_response(Nanos last, Scribe&);
  void cut_response(Scribe&);
  bool answering() const { return state_ == State::answering; }

  // Octets of the client are missing, or made no sense, and with them perhaps requests.
  void lose_requests(Scribe&);
  // The same of the server and its responses. `missing`: they were not seen, so there may have been some.
  void lose_responses(bool missing, Scribe&);
  // No response will come any more to what waits.
  void flush(std::uint32_t why, Scribe&);
  // The end of the flow.
  void finish(Scribe&);

 private:
  enum class State : std::uint8_t { idle, answering, answered };  // answered: but its request has not ended
  static constexpr std::uint32_t kUnknown = ~std::uint32_t{0};

  Request& at(std::size_t i) { return waiting_[(head_ + i) % kMostWaiting]; }
  void pop(Request& to);
  void settle(Scribe&);
  static void commit_alone(Request&, std::uint32_t why, Scribe&);

  Few<Request, 1, kMostWaiting> waiting_;  // without pipelining there is never more than one
  Request current_;                        // is being answered
  Request loose_;                          // is being sent, but will not be paired
  Request* writing_ = nullptr;
  Nanos response_first_ = kNoTime;
  Nanos response_last_ = kNoTime;
  std::uint64_t response_octets_ = 0;
  // How many responses may come, after those to the waiting requests, that belong to none of them. While that is not
  // 0, no request is put behind the waiting ones.
  std::uint32_t strangers_ = 0;
  std::uint8_t head_ = 0;
  std::uint8_t count_ = 0;
  State state_ = State::idle;
  bool pipelines_ = false;  // the client has sent a request while another waited
};

}  // namespace probe::http
