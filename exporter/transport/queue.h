// Whole messages that wait for a socket, bounded in octets.
#pragma once

#include <deque>
#include <vector>

#include "exporter/transport/transport.h"

namespace probe {

class MessageQueue {
 public:
  struct Message {
    std::vector<std::uint8_t> octets;
    Tally tally;
  };

  explicit MessageQueue(std::size_t most_octets) : most_(most_octets) {}

  bool over() const { return octets_ > most_ && messages_.size() > 1; }
  bool empty() const { return messages_.empty(); }
  const Message& front() const { return messages_.front(); }

  void push(Bytes message, const Tally& tally) {
    std::vector<std::uint8_t> octets;
    if (!spare_.empty()) {
      octets = std::move(spare_.back());
      spare_.pop_back();
    }
    octets.assign(message.begin(), message.end());
    octets_ += octets.size();
    messages_.push_back({std::move(octets), tally});
  }
  void push_front(std::vector<std::uint8_t> message) {
    octets_ += message.size();
    messages_.push_front({std::move(message), {}});
  }
  Tally pop() {
    Message& m = messages_.front();
    const Tally tally = m.tally;
    octets_ -= m.octets.size();
    if (spare_.size() < kMostSpare) spare_.push_back(std::move(m.octets));
    messages_.pop_front();
    return tally;
  }
  // Removes the oldest that holds data, so that templates are not lost; returns what it held.
  Tally drop_oldest(bool keep_front) {
    auto at = messages_.begin() + (keep_front && !messages_.empty() ? 1 : 0);
    while (at != messages_.end() && at->tally.data_records == 0) ++at;
    if (at == messages_.end()) return {};
    const Tally tally = at->tally;
    octets_ -= at->octets.size();
    messages_.erase(at);
    return tally;
  }
  void drop_without_data() {
    for (const Message& m : messages_)
      if (m.tally.data_records == 0) octets_ -= m.octets.size();
    std::erase_if(messages_, [](const Message& m) { return m.tally.data_records == 0; });
  }
  Tally clear() {
    Tally all;
    for (const Message& m : messages_) all += m.tally;
    messages_.clear();
    octets_ = 0;
    return all;
  }

 private:
  static constexpr std::size_t kMostSpare = 64;
  std::size_t most_;
  std::size_t octets_ = 0;
  std::deque<Message> messages_;
  std::vector<std::vector<std::uint8_t>> spare_;  // memory of sent messages, used again
};

}  // namespace probe
