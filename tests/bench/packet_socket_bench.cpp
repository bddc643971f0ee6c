// What a frame from a packet socket costs its reader, and how long after its time it comes. Needs root.
// usage: packet_socket_bench [packets per second, 0: as fast as it goes] [seconds] [octets]
#include <ctime>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <vector>

#include "probe/live/merge.h"
#include "probe/live/packet_socket.h"
#include "tests/probe/live/small_world.h"

namespace probe::live {
namespace {

Nanos thread_cpu() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * kSecond + t.tv_nsec;
}

void send(std::uint64_t rate, std::atomic<bool>& stop, std::uint64_t& sent, std::size_t octets) {
  Sender sender("wire0");
  const auto frame =
      kit::ethernet().ipv4("10.0.0.1", "10.0.0.2").tcp(1000, 80).payload(std::string(octets - 54, 'x')).build();
  const Nanos begin = clock_now();
  while (!stop) {
    const Nanos now = clock_now();
    const std::uint64_t due = rate == 0 ? sent + 64 : static_cast<std::uint64_t>(now - begin) * rate / kSecond;
    while (sent < due) {
      sender.send(frame);
      ++sent;
    }
    if (rate != 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
}

void measure(std::uint64_t rate, int seconds, std::size_t octets) {
  const auto port = open_packet_socket({.interface = "wire1"});
  Queue& queue = *port->queues()[0];
  std::atomic<bool> stop = false;
  std::uint64_t sent = 0;
  std::thread sender([&] { send(rate, stop, sent, octets); });
  std::vector<Nanos> delays;
  delays.reserve(1'000'000);
  std::array<Frame, 64> frames;
  std::uint64_t got = 0, touched = 0, waits = 0;
  const Nanos begin = clock_now(), cpu = thread_cpu();
  for (Nanos end = begin + seconds * kSecond, now = begin; now < end + 200 * kMillisecond; now = clock_now()) {
    if (now > end) stop = true;
    const std::size_t n = queue.read(frames);
    for (const Frame& f : std::span(frames).first(n)) touched += f.octets[30];
    if (n > 0 && delays.size() < delays.capacity()) delays.push_back(now - frames[0].time);
    queue.release(n);
    got += n;
    if (n == 0) queue.wait(10 * kMillisecond), ++waits;
  }
  const Nanos spent = thread_cpu() - cpu;
  sender.join();
  const PortCounts c = port->counts();
  std::sort(delays.begin(), delays.end());
  const auto at = [&](double q) {
    return delays.empty() ? 0.0 : delays[static_cast<std::size_t>(q * static_cast<double>(delays.size() - 1))] / 1e6;
  };
  std::printf(
      "%llu sent, %llu received, %llu dropped%s; %.1f ns cpu a frame, %llu waits; delay ms p50 %.2f p99 %.2f most %.2f "
      "(%llu)\n",
      (unsigned long long)sent, (unsigned long long)got, (unsigned long long)*c.dropped_kernel,
      got + *c.dropped_kernel == sent ? "" : " AND SOME UNKNOWN",
      double(spent) / double(std::max<std::uint64_t>(got, 1)), (unsigned long long)waits, at(0.5), at(0.99), at(1),
      (unsigned long long)(touched & 1));
}

}  // namespace
}  // namespace probe::live

int main(int argc, char** argv) {
  if (unshare(CLONE_NEWNET) != 0) return std::perror("needs root"), 77;
  std::ofstream("/proc/sys/net/ipv6/conf/default/disable_ipv6") << 1;
  probe::live::shell("ip link add wire0 type veth peer name wire1; ip link set wire0 up; ip link set wire1 up");
  const auto number = [&](int i, unsigned long long otherwise) {
    return argc > i ? std::strtoull(argv[i], nullptr, 10) : otherwise;
  };
  probe::live::measure(number(1, 0), static_cast<int>(number(2, 5)), number(3, 350));
}
