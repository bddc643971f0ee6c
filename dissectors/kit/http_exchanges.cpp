#include "dissectors/kit/http_exchanges.h"

#include <algorithm>
#include <utility>

namespace probe::http {

namespace {
constexpr std::uint32_t kHalf = bit_of(Quality::half_transaction);
constexpr std::uint32_t kHalfByGap = kHalf | bit_of(Quality::stream_gap);
}  // namespace

void Exchanges::commit_alone(Request& r, std::uint32_t why, Scribe& scribe) {
  Exchange e;
  e.request_first = r.first;
  e.request_last = r.last;
  e.request_octets = r.octets;
  e.quality = r.quality | why;
  scribe.commit(r.draft, e);
}

Request& Exchanges::begin_request(Arrival at_, Scribe& scribe) {
  if (writing_) cut_request(scribe);
  // Who does not pipeline sends only after the last response has ended: whatever was in doubt lies behind us.
  if (strangers_ != 0 && !pipelines_ && state_ != State::answering) {
    flush(kHalfByGap, scribe);
    strangers_ = 0;
  }
  const bool overlaps = count_ > 0 || state_ == State::answering;
  if (strangers_ == 0 && count_ > 0) pipelines_ = true;
  if (count_ == 0) head_ = 0;  // the first place is the one that costs nothing
  if (strangers_ == 0 && count_ < kMostWaiting && waiting_.reach((head_ + count_) % kMostWaiting, scribe.notes())) {
    writing_ = &at(count_++);
  } else {
    writing_ = &loose_;
    if (strangers_ != kUnknown) ++strangers_;
  }
  *writing_ = Request{scribe.open<"http">(), at_.first, at_.last};
  if (overlaps) writing_->mark(Quality::pipelined);
  return *writing_;
}

void Exchanges::end_request(Scribe& scribe) {
  Request* r = std::exchange(writing_, nullptr);
  if (r == &loose_) commit_alone(loose_, kHalf, scribe);
  if (r == &current_ && state_ == State::answered) settle(scribe);
}

void Exchanges::cut_request(Scribe& scribe) {
  if (!writing_) return;
  writing_->mark(Quality::half_transaction);
  end_request(scribe);
}

void Exchanges::drop_request() {
  Request* r = std::exchange(writing_, nullptr);
  if (!r || r == &current_) return;
  r->draft.drop();
  if (r != &loose_) --count_;  // the last one in the queue
}

void Exchanges::pop(Request& to) {
  Request& front = at(0);
  to = std::move(front);
  if (writing_ == &front) writing_ = &to;
  head_ = static_cast<std::uint8_t>((head_ + 1) % kMostWaiting);
  --count_;
}

void Exchanges::begin_response(Arrival at_, Scribe& scribe) {
  if (state_ != State::idle) cut_response(scribe);
  if (count_ > 0) {
    pop(current_);
  } else {
    if (strangers_ != 0 && strangers_ != kUnknown) --strangers_;
    current_ = Request{scribe.open<"http">()};
    current_.mark(Quality::half_transaction);
  }
  state_ = State::answering;
  response_first_ = at_.first;
  response_last_ = kNoTime;
  response_octets_ = 0;
}

void Exchanges::settle(Scribe& scribe) {
  Exchange e;
  e.request_first = current_.first;
  e.request_last = current_.last;
  e.request_octets = current_.octets;
  e.response_first = response_first_;
  e.response_last = response_last_;
  e.response_octets = response_octets_;
  e.quality = current_.quality;
  scribe.commit(current_.draft, e);
  if (writing_ == &current_) writing_ = nullptr;
  state_ = State::idle;
}

void Exchanges::end_response(Nanos last, Scribe& scribe) {
  response_last_ = last;
  state_ = State::answered;
  if (writing_ != &current_) settle(scribe);
}

void Exchanges::cut_response(Scribe& scribe) {
  if (state_ == State::idle) return;
  current_.mark(Quality::half_transaction);
  settle(scribe);
}

void Exchanges::lose_requests(Scribe& scribe) {
  if (writing_) {
    writing_->mark(Quality::stream_gap);
    cut_request(scribe);
  }
  strangers_ = kUnknown;
}

void Exchanges::lose_responses(bool missing, Scribe& scribe) {
  // A request that is still being sent, with none before it, has had no response yet; nor has the only one, if there
  // was none among all that came.
  if (state_ != State::answering && count_ == 1 && (!missing || writing_ == &at(0))) return;
  if (state_ == State::answering) {
    current_.mark(Quality::stream_gap);
    cut_response(scribe);
  }
  if (strangers_ != kUnknown) strangers_ += count_;
  flush(kHalfByGap, scribe);
}

void Exchanges::flush(std::uint32_t why, Scribe& scribe) {
  while (count_ > 0) {
    Request r;
    pop(r);
    if (writing_ == &r) {
      loose_ = std::move(r);
      loose_.quality |= why;
      writing_ = &loose_;
    } else {
      commit_alone(r, why, scribe);
    }
  }
}

void Exchanges::finish(Scribe& scribe) {
  cut_request(scribe);
  cut_response(scribe);
  flush(kHalf, scribe);
  waiting_.release(scribe.notes());
}

}  // namespace probe::http
