// One direction of a TCP connection put in order: contiguous octets, or a gap of so many.
#pragma once

#include <cstdint>
#include <limits>

#include "probe/base/bytes.h"
#include "probe/base/counters.h"
#include "probe/base/nanos.h"
#include "probe/base/sequence.h"
#include "probe/tcp/stream_pool.h"

namespace probe::tcp {

// What comes next in a stream.
struct Piece {
  enum class What : std::uint8_t {
    data,    // `data`, to be answered by used, need or skip
    passed,  // what was to be skipped has passed, at `first` to `last`
    gap,     // `gap` octets will never come
    end      // nothing comes any more; `last`: when the last octets came
  };
  What what = What::data;
  bool final = false;  // data: no more will follow it
  Bytes data;          // good until answered
  std::uint64_t gap = 0;
  Nanos first = 0, last = 0;  // when the first octet passed, and when all had passed
};

// What a stream needs to know of a packet.
struct Segment {
  std::uint32_t sequence = 0;  // of the first octet of `data` (a SYN counts before it)
  std::uint32_t length = 0;    // on the wire; more than data.size() if the snap length cut it
  Bytes data;
  Nanos time = 0;
  bool fin = false;
};

// The state of one direction; costs no memory of the pool as long as all comes in order and messages end with
// segments. Read it with a StreamReader. release() must be called before it goes.
class Stream {
 public:
  static constexpr std::uint64_t kToTheEnd = std::numeric_limits<std::uint64_t>::max();

  bool started() const { return started_; }
  // The sequence number of the first octet, if it is known before that comes: else the first segment is the start.
  void start(std::uint32_t sequence) {
    next_ = sequence;
    started_ = true;
  }
  bool ended() const { return ended_; }
  // Octets are missing, and something behind them has come.
  bool has_hole() const { return held_ != nullptr || (fin_known_ && !ended_); }
  std::uint32_t position() const { return next_; }
  Nanos last() const { return last_; }  // when the latest octets came

  // Whether acknowledged() would make a difference.
  bool minds(std::uint32_t acknowledged) const {
    return has_hole() || (started_ && !ended_ && sequence_before(next_, acknowledged));
  }

  // Whether a segment of `length` octets in order would take the short way.
  bool skips(std::uint32_t length) const { return skipping_ && length < skip_; }
  // The short way: a segment in the midst of a skip, in order, with nothing to tell anybody. False: take the long one.
  bool pass(const Segment& s) {
    if (!skips(s.length) || s.sequence != next_ || held_ || fin_known_ || s.fin) return false;
    next_ += s.length;
    suspect_ = kNever;
    if (skip_ != kToTheEnd) skip_ -= s.length;
    skipped(s.time);
    return true;
  }
  void release(StreamPool&);

  // The last of what a segment in order touches, for prefetching.
  const Nanos& last_hot() const { return skip_last_; }

 private:
  friend class StreamReader;
  void skipped(Nanos time) {
    if (skip_first_ == kNever) skip_first_ = time;
    if (time > last_) last_ = time;
    if (time > skip_last_) skip_last_ = time;
  }
  static constexpr Nanos kNever = std::numeric_limits<Nanos>::min();

  // What every segment needs comes first.
  std::uint32_t next_ = 0;  // the first octet neither handed on nor kept
  bool started_ = false;    // no bit-fields: a new one is written without being read
  bool skipping_ = false;
  bool fin_known_ = false;
  bool ended_ = false;
  Held* held_ = nullptr;  // the last of a ring in the order of sequence numbers; its next is the first
  Kept* kept_ = nullptr;
  std::uint64_t skip_ = 0;  // octets still to skip
  Nanos last_ = kNever;     // when the latest octets came
  Nanos suspect_ = kNever;  // since when octets that are not here are known to be acknowledged
  Nanos skip_first_ = kNever, skip_last_ = kNever;
  std::uint32_t fin_ = 0;
  std::uint32_t acknowledged_ = 0;  // up to here, if suspect_ is a time
  std::uint32_t held_octets_ = 0;
  std::uint16_t held_segments_ = 0;
  std::uint16_t needed_ = 1;  // octets that a message takes at least
};

// Hands on what a segment, an acknowledgement or the end has made available. Lives on the stack:
//   StreamReader r(stream, pool, counters);
//   r.segment(s);
//   for (Piece p; r.next(p);) … r.used(n), r.need(n) or r.skip(n) after data; skip is also allowed after passed
class StreamReader {
 public:
  StreamReader(Stream& s, StreamPool& p, Counters& c) : s_(s), pool_(p), counters_(c) {}
  ~StreamReader() { free_drained(); }
  StreamReader(const StreamReader&) = delete;
  StreamReader& operator=(const StreamReader&) = delete;

  // Once a reader, before next().
  void segment(const Segment&);
  // The receiver has everything before `sequence`. `answer`: it says so in a segment with data.
  void acknowledged(std::uint32_t sequence, Nanos now, bool answer);
  // Nothing will come any more. `told`: by a FIN or RST, so that Piece::What::end is due.
  void finish(bool told);

  bool next(Piece&);
  void used(std::uint64_t octets);  // at most what the last piece had
  void need(std::uint64_t octets);  // more than the last piece had, at most StreamPool::kMostKept
  void skip(std::uint64_t octets);
  // Offers what is kept once more, whatever was needed of it.
  void again() { s_.needed_ = 1; }

 private:
  enum class Found : std::uint8_t { octets, gap, nothing, end };
  enum class Evidence : std::uint8_t { acknowledgement, answer, data };

  Found advance();
  Found take_held(Held*);
  Found take_packet(const Held* first);
  Found take_hole();
  Found take_range(std::uint32_t octets, Nanos first, Nanos last, std::uint32_t& taken);
  bool boundary(std::uint32_t& octets) const;
  bool hold_or_lose();
  bool hold();
  bool hold_next(Held*& before);
  bool hold_range(Held*& before, std::uint32_t octets);
  bool hold_octets(Held*& before, std::uint32_t octets);
  Held* link(Held* before, std::uint8_t size_class, std::uint32_t octets);
  bool is_lost(Nanos now, Evidence) const;

  bool pass_over();
  bool enough() const;
  bool offer(Piece&);
  bool tell_passed(Piece&);
  bool tell_gap(Piece&);
  bool tell_end(Piece&);
  bool keep();
  Kept* room_for(std::size_t octets);
  void drop_kept();

  Held* first_held() const { return s_.held_ ? s_.held_->next : nullptr; }
  void unlink_first();
  void free_held(Held* h) { pool_.give(h, h->size_class); }
  void free_drained() {
    if (draining_) free_held(draining_);
    draining_ = nullptr;
  }
  std::uint32_t kept_octets() const { return s_.kept_ ? s_.kept_->size() : 0; }
  void drop_front(std::uint32_t octets);  // of the packet
  void pass_now(std::size_t octets) {
    now_ = now_.subspan(octets);
    s_.next_ += static_cast<std::uint32_t>(octets);
  }
  void lose_to(std::uint32_t sequence) {
    lost_to_ = sequence;
    losing_ = true;
  }

  Stream& s_;
  StreamPool& pool_;
  Counters& counters_;
  Segment packet_;              // what of it is not taken yet
  Bytes now_;                   // octets in place, from s_.next_ on
  Nanos first_ = 0, last_ = 0;  // of now_
  Held* draining_ = nullptr;    // holds now_
  std::uint64_t gap_ = 0;
  std::uint32_t lost_to_ = 0;   // if losing_: holes before this will not be filled
  std::uint32_t appended_ = 0;  // octets of now_ that were copied behind what is kept, until the piece is answered
  bool losing_ = false;
  bool finishing_ = false;
  bool told_ = false;
  bool final_ = false;  // what is kept is all that will be
};

}  // namespace probe::tcp
