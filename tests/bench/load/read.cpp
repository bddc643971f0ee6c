// What a port of ours can read when nothing is done with the frames.
//
//   load_read [-d DEVICE] [-s SECONDS]             reads a device, for load_send at the other end
//   load_read --ring [-r RATE,…] [-s SECONDS] CAPTURE   feeds a ring in this process and reads it through net_ring

#include <rte_ring.h>
#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <thread>

#include "probe/dpdk/eal.h"
#include "probe/dpdk/port.h"
#include "tests/bench/load/reader.h"
#include "tests/bench/load/sender.h"

namespace probe::load {
namespace {

struct Options {
  std::string device = "net_memif0,role=server,socket=/tmp/augprobe-load.sock,socket-abstract=no";
  bool ring = false;
  std::vector<double> rates = {1, 2, 4, 8, 12, 16, 24};
  double seconds = 5;
  std::size_t frames = 50'000;
  std::string capture;
};

void print(const Read& read, double seconds) {
  std::printf("%12lu %8.3f %8.1f %8.1f\n", read.frames, static_cast<double>(read.frames) / seconds / 1e6,
              100 * read.busy / seconds,
              read.busy * 1e9 / static_cast<double>(std::max<std::uint64_t>(read.frames, 1)));
  std::fflush(stdout);
}

void read_device(const Options& options) {
  const dpdk::PortOptions of_port{.device = options.device};
  dpdk::start_eal({.memory = dpdk::memory_needed(of_port), .log = [](std::string_view) {}});
  const auto port = dpdk::open_port(of_port);
  std::printf("%12s %8s %8s %8s\n", "read", "M/s", "busy %", "ns each");
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(options.seconds);
  while (std::chrono::steady_clock::now() < end) {
    std::atomic<bool> second_over = false;
    std::thread clock([&] {
      std::this_thread::sleep_for(std::chrono::seconds(1));
      second_over = true;
    });
    print(read_until(*port->queues()[0], second_over), 1);
    clock.join();
  }
}

void read_ring(const Options& options) {
  const dpdk::PortOptions of_port{.device = "net_ring_load"};
  dpdk::start_eal(
      {.memory = dpdk::memory_needed(of_port) + Sender::memory(options.frames), .log = [](std::string_view) {}});
  const auto port = dpdk::open_port(of_port);
  rte_ring* const ring = rte_ring_lookup("ETH_RXTX0_net_ring_load");
  if (!ring) throw std::runtime_error("net_ring has no ring");
  Sender sender(options.capture, options.frames, 256);
  std::printf("%8s %12s %12s %12s %8s %8s %8s\n", "wanted", "offered", "refused", "read", "M/s", "busy %", "ns each");
  for (const double rate : options.rates) {
    std::atomic<bool> end = false;
    Read read;
    std::thread reader([&] { read = read_until(*port->queues()[0], end); });
    const Sent sent = sender.send(rate * 1e6, options.seconds, [&](rte_mbuf** burst, std::uint16_t n) {
      return static_cast<std::uint16_t>(rte_ring_enqueue_burst(ring, reinterpret_cast<void**>(burst), n, nullptr));
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    end = true;
    reader.join();
    std::printf("%8.3f %12lu %12lu ", rate, sent.offered, sent.refused);
    print(read, sent.seconds);
    if (read.frames + sent.refused != sent.offered) throw std::runtime_error("frames are missing");
  }
}

}  // namespace
}  // namespace probe::load

int main(int argc, char** argv) {
  probe::load::Options options;
  CLI::App app("Reads a port and does nothing with the frames");
  app.add_option("-d,--device", options.device);
  app.add_flag("--ring", options.ring, "a ring that is fed in this process");
  app.add_option("-r,--rates", options.rates, "million frames a second")->delimiter(',')->allow_extra_args(false);
  app.add_option("-s,--seconds", options.seconds);
  app.add_option("-n,--frames", options.frames, "of the capture, at most");
  app.add_option("capture", options.capture);
  CLI11_PARSE(app, argc, argv);
  try {
    options.ring ? probe::load::read_ring(options) : probe::load::read_device(options);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "load_read: %s\n", e.what());
    return 1;
  }
}
