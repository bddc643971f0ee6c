// Sends the frames of a capture over and over, at a rate, from buffers that are filled once.
#pragma once

#include <rte_mbuf.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace probe::load {

struct Sent {
  std::uint64_t offered = 0;  // frames
  std::uint64_t refused = 0;  // of them: the receiver had no room
  std::uint64_t octets = 0;   // of all frames offered
  double seconds = 0;
};

// Takes as many as it can, from the front, and says how many. It owns one reference to each that it took.
using Take = std::function<std::uint16_t(rte_mbuf**, std::uint16_t)>;

class Sender {
 public:
  // Up to `most` frames of the capture. With every round the addresses of the frames change, so that the flows are new
  // ones; after so many rounds they come again. Throws std::runtime_error.
  Sender(const std::string& capture, std::size_t most, unsigned rounds);
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // A frame that is refused is lost, as on a wire. Goes on where the last call stopped.
  Sent send(double frames_a_second, double seconds, const Take& take);

  // What would be sent in so many rounds goes into a capture, a frame each third of a microsecond.
  void write(const std::string& path, unsigned passes);

  std::size_t frames() const { return frames_.size(); }
  // Without hugepages each buffer takes a page of 4 kB.
  static std::size_t memory(std::size_t most) { return most * (4096 + 64) + (8 << 20); }

 private:
  static constexpr std::size_t kRoom = 2048;

  rte_mbuf* next();
  std::uint16_t fill(rte_mbuf** burst, std::uint16_t want);

  rte_mempool* pool_ = nullptr;
  std::vector<rte_mbuf*> frames_;
  std::vector<std::uint16_t> address_of_;  // where the addresses of IP begin; 0: another protocol
  unsigned rounds_;
  unsigned round_ = 0;
  bool again_ = false;  // a round was sent already
  std::size_t next_ = 0;
};

}  // namespace probe::load
