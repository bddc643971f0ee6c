// A capture of one format, read through a window: Format says what the octets mean, this fetches them and counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "probe/base/counters.h"
#include "probe/base/prefetch.h"
#include "probe/io/capture.h"
#include "probe/io/parsed.h"
#include "probe/io/window.h"

namespace probe::io {

template <class Format>
class RecordReader final : public Capture {
 public:
  // The window stands at the first record.
  RecordReader(std::string name, std::unique_ptr<Window> window, Format format, Counters& counters)
      : name_(std::move(name)), window_(std::move(window)), format_(std::move(format)), counters_(counters) {}

  std::size_t read(std::span<Frame> frames) override {
    std::size_t filled = 0;
    while (filled < frames.size() && !ended_) {
      const Bytes octets = window_->view();
      const Parsed parsed = format_.next(octets, frames[filled]);
      if (parsed.kind == Parsed::Kind::frame) {
        window_->drop(static_cast<std::size_t>(parsed.octets));
        prefetch(octets.data() + parsed.octets);  // the next record's header; past the end it is harmless
        ++filled;
      } else if (!pass(parsed, filled > 0)) {
        break;
      }
    }
    tally(frames.first(filled));
    return filled;
  }

  const CaptureError& error() const override { return error_; }
  std::uint64_t position() const override { return window_->source().position(); }
  std::uint64_t size() const override { return window_->source().size(); }

 private:
  // Anything but a frame. False: the frames so far, which are views, must be handed out first; the format will say the
  // same again.
  bool pass(const Parsed& parsed, bool have_frames) {
    if (parsed.kind == Parsed::Kind::nothing) {
      if (parsed.skipped_block) counters_.add(Counter::capture_blocks_skipped);
      const std::uint64_t in_hand = window_->view().size();
      const std::uint64_t here = parsed.octets < in_hand ? parsed.octets : in_hand;
      window_->drop(static_cast<std::size_t>(here));
      to_skip_ = parsed.octets - here;  // if this is not 0, the view is empty and the format needs more
      return true;
    }
    if (have_frames) return false;
    if (parsed.kind == Parsed::Kind::damage) {
      damaged(format_.damage());
    } else if (!window_->skip(std::exchange(to_skip_, 0))) {
      source_ended();
    } else if (!window_->need(static_cast<std::size_t>(parsed.octets))) {
      source_ended();
    }
    return true;
  }

  void source_ended() {
    ended_ = true;
    const std::size_t left = window_->view().size();
    if (!window_->source().failure().empty()) {
      damaged(window_->source().failure());
    } else if (left > 0 || !format_.between_records()) {
      damaged(std::string("the file ends inside ") + format_.record_name());
    }
  }

  void damaged(const std::string& why) {
    ended_ = true;
    counters_.add(Counter::capture_damaged);
    error_.offset = window_->offset();
    error_.message = name_ + ": damaged at offset " + std::to_string(error_.offset) + ": " + why +
                     ". Packets read before: " + std::to_string(frames_);
  }

  void tally(std::span<const Frame> frames) {
    std::uint64_t octets = 0, cut = 0, backwards = 0;
    for (const Frame& f : frames) {
      octets += f.wire_length;
      cut += f.octets.size() < f.wire_length;
      backwards += f.time < last_time_;
      last_time_ = f.time;
    }
    frames_ += frames.size();
    counters_.add(Counter::capture_frames, frames.size());
    counters_.add(Counter::capture_octets, octets);
    counters_.add(Counter::capture_frames_cut, cut);
    counters_.add(Counter::capture_time_backwards, backwards);
  }

  const std::string name_;
  const std::unique_ptr<Window> window_;
  Format format_;
  Counters& counters_;
  std::uint64_t frames_ = 0;
  std::uint64_t to_skip_ = 0;
  Nanos last_time_ = INT64_MIN;
  bool ended_ = false;
  CaptureError error_;
};

}  // namespace probe::io
