// Sends a capture at rising rates into a device of DPDK that a probe reads at the other end, and says what the other
// end had no room for.
//
//   load_send [-d DEVICE] [-r RATE,RATE,…] [-s SECONDS] [-n FRAMES] [-a ROUNDS] CAPTURE
//   load_send --write FILE [--passes N] [-n FRAMES] [-a ROUNDS] CAPTURE     the same frames, N rounds of them, into a
//   capture
//
// RATE in million frames a second. DEVICE is net_memif0 as client of a server at /tmp/augprobe-load.sock by default.

#include <rte_ethdev.h>
#include <sys/resource.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <stdexcept>

#include "probe/dpdk/device.h"
#include "probe/dpdk/eal.h"
#include "tests/bench/load/far_end.h"
#include "tests/bench/load/sender.h"

namespace probe::load {
namespace {

struct Options {
  std::string device = kFarEnd;
  std::vector<double> rates = {0.25, 0.5, 1, 2, 3, 4, 6, 8};
  double seconds = 5;
  std::size_t frames = 50'000;
  unsigned rounds = 256;
  bool until_loss = false;
  std::string write;
  unsigned passes = 1;
  std::string capture;
};

void write(const Options& options) {
  Sender sender(options.capture, options.frames, options.rounds);
  sender.write(options.write, options.passes);
  std::printf("%zu frames\n", options.passes * sender.frames());
}

void run(const Options& options) {
  dpdk::start_eal({.memory = Sender::memory(options.frames) + (16 << 20), .log = [](std::string_view) {}});
  if (!options.write.empty()) return write(options);
  const dpdk::Device device(options.device);
  open_to_far_end(device.port());
  Sender sender(options.capture, options.frames, options.rounds);
  wait_for_far_end(device.port());
  std::printf("%zu frames of %s, in %u rounds of addresses\n", sender.frames(), options.capture.c_str(),
              options.rounds);
  std::printf("%8s %8s %8s %12s %12s %8s\n", "wanted", "M/s", "Gbit/s", "offered", "refused", "lost %");
  for (const double rate : options.rates) {
    const Sent sent = sender.send(rate * 1e6, options.seconds, [&](rte_mbuf** burst, std::uint16_t n) {
      return rte_eth_tx_burst(device.port(), 0, burst, n);
    });
    std::printf(
        "%8.3f %8.3f %8.3f %12lu %12lu %8.4f\n", rate, static_cast<double>(sent.offered) / sent.seconds / 1e6,
        static_cast<double>(sent.octets) * 8 / sent.seconds / 1e9, sent.offered, sent.refused,
        100.0 * static_cast<double>(sent.refused) / static_cast<double>(std::max<std::uint64_t>(sent.offered, 1)));
    std::fflush(stdout);
    if (options.until_loss && sent.refused > 0) break;
  }
}

}  // namespace
}  // namespace probe::load

int main(int argc, char** argv) {
  probe::load::Options options;
  CLI::App app("Sends a capture at rising rates into a device of DPDK");
  app.add_option("-d,--device", options.device);
  app.add_option("-r,--rates", options.rates, "million frames a second")->delimiter(',')->allow_extra_args(false);
  app.add_option("-s,--seconds", options.seconds, "of each rate");
  app.add_option("-n,--frames", options.frames, "of the capture, at most");
  app.add_option("-a,--rounds", options.rounds, "through the capture until the same addresses come again");
  app.add_flag("-u,--until-loss", options.until_loss, "end after the first rate with loss");
  app.add_option("-w,--write", options.write, "a capture to write instead of sending");
  app.add_option("-p,--passes", options.passes, "rounds to write");
  app.add_option("capture", options.capture)->required();
  CLI11_PARSE(app, argc, argv);
  try {
    probe::load::run(options);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "load_send: %s\n", e.what());
    return 1;
  }
}
