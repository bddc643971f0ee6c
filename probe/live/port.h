// Where packets come from by themselves: a port of a NIC or an interface of the kernel, with one or more receive
// queues.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "probe/base/nanos.h"
#include "probe/packet/frame.h"

namespace probe::live {

// One receive queue, used by one thread. After it was opened nothing here allocates, locks, logs or throws.
class Queue {
 public:
  virtual ~Queue() = default;

  // Fills `frames` from the front with what has come, and says how many; never waits. Octets of a frame stay where they
  // are until it is released. Times are nanoseconds since 1970: the hardware's or the kernel's, else one per burst.
  virtual std::size_t read(std::span<Frame> frames) = 0;

  // The oldest `frames` that were read and not yet released are no longer looked at. Whoever keeps many of them lets
  // the queue run dry.
  virtual void release(std::size_t frames) = 0;

  // Sleeps until there may be something to read, but no longer than this. A poll-mode queue returns at once.
  virtual void wait(Nanos most) = 0;

  // How long after its time a frame may come out of read() although the reader is not behind: the kernel hands over
  // blocks of frames. Whoever puts several queues in order has to wait for so long.
  virtual Nanos delay() const { return 0; }

  // How much of its room is taken by frames that wait to be read, 0 to 1; absent where the driver cannot tell. By the
  // reader, a hundred times a second.
  virtual std::optional<double> backlog() const { return std::nullopt; }
};

// What a port tells of packets since it was opened. What its driver cannot tell is absent, and never 0. Each packet is
// in one of them: offered = received + every drop.
struct PortCounts {
  std::uint64_t received = 0;                   // handed to the readers of its queues
  std::uint64_t cut = 0;                        // of those: without their end, for lack of room to join their buffers
  std::optional<std::uint64_t> dropped_nic;     // no descriptor was free: the workers were too slow (imissed)
  std::optional<std::uint64_t> dropped_memory;  // no buffer was free (rx_nombuf)
  std::optional<std::uint64_t> dropped_kernel;  // no room in the socket's ring, or in front of it
  std::optional<std::uint64_t> dropped_errors;  // damaged on the wire: CRC, length (ierrors)
  std::optional<bool> link_up;
};

class Port {
 public:
  virtual ~Port() = default;

  virtual const std::string& name() const = 0;
  virtual std::span<const std::unique_ptr<Queue>> queues() const = 0;
  // May be called by any one thread while others read.
  virtual PortCounts counts() = 0;
  // What makes its numbers doubtful, each with the remedy: offloads that falsify segments, no promiscuous mode, …
  virtual std::vector<std::string> warnings() const = 0;
};

}  // namespace probe::live
