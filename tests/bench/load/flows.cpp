// Sends copies of a capture into a device of DPDK, at one rate after the other, and writes what became of each flow.
//
//   load_flows [-d DEVICE] -p RATE:SECONDS,… [-k COPIES] [-f FIRST] -t TRUTH CAPTURE
//
// RATE in million frames a second. For each step a line when it begins and one when it ends, with frames offered and
// those of them that were refused. SIGTERM ends it early; the truth is written all the same (see FlowSender).

#include <rte_ethdev.h>
#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <thread>

#include "probe/dpdk/device.h"
#include "probe/dpdk/eal.h"
#include "tests/bench/load/far_end.h"
#include "tests/bench/load/flow_sender.h"

namespace probe::load {
namespace {

struct Options {
  std::string device = kFarEnd;
  std::vector<std::string> steps;
  std::size_t at_a_time = 1024;
  std::uint32_t first = 0;
  std::string truth, capture;
};

std::atomic<bool> over = false;

void send(FlowSender& sender, const std::string& step, const Take& take) {
  double rate = 0, seconds = 0;
  if (std::sscanf(step.c_str(), "%lf:%lf", &rate, &seconds) != 2)
    throw std::runtime_error(step + " is no RATE:SECONDS");
  std::printf("begins %s\n", step.c_str());
  std::fflush(stdout);
  const Sent sent = sender.send(rate * 1e6, seconds, over, take);
  std::printf("ends %s offered %lu refused %lu seconds %.3f\n", step.c_str(), sent.offered, sent.refused, sent.seconds);
  std::fflush(stdout);
}

void run(const Options& options) {
  dpdk::start_eal({.memory = 64 << 20, .log = [](std::string_view) {}});
  const dpdk::Device device(options.device);
  open_to_far_end(device.port());
  FlowSender sender(options.capture, options.at_a_time, options.first);
  wait_for_far_end(device.port());
  std::signal(SIGTERM, [](int) { over = true; });
  for (const std::string& step : options.steps)
    send(sender, step, [&](rte_mbuf** burst, std::uint16_t n) { return rte_eth_tx_burst(device.port(), 0, burst, n); });
  // What is still in the ring when this end is closed is gone.
  std::this_thread::sleep_for(std::chrono::seconds(1));
  std::FILE* const file = std::fopen(options.truth.c_str(), "w");
  if (!file) throw std::runtime_error(options.truth + " cannot be written");
  sender.write_truth(file);
  if (std::fclose(file) != 0) throw std::runtime_error(options.truth + " cannot be written");
}

}  // namespace
}  // namespace probe::load

int main(int argc, char** argv) {
  probe::load::Options options;
  CLI::App app("Sends copies of a capture into a device of DPDK and writes what became of each flow");
  app.add_option("-d,--device", options.device);
  app.add_option("-p,--steps", options.steps, "million frames a second, and for how many seconds")
      ->delimiter(',')
      ->required();
  app.add_option("-k,--at-a-time", options.at_a_time, "copies under way");
  app.add_option("-f,--first", options.first, "number of the first copy");
  app.add_option("-t,--truth", options.truth, "file")->required();
  app.add_option("capture", options.capture)->required();
  CLI11_PARSE(app, argc, argv);
  try {
    probe::load::run(options);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "load_flows: %s\n", e.what());
    return 1;
  }
}
