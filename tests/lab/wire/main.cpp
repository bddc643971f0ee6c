// wire: the cable of the lab. See --help and ../README.md.
#include <sched.h>
#include <sys/prctl.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <utility>

#include "tests/lab/wire/options.h"
#include "tests/lab/wire/text.h"
#include "tests/lab/wire/wire.h"

namespace {

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // a signal handler may write it

void run(int count, char** arguments) {
  using namespace probe::lab;
  struct sigaction action {};
  action.sa_handler = [](int) { stop_requested = true; };
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  Options options = parse_options(count, arguments);
  const sched_param priority{.sched_priority = 20};
  if (options.realtime && sched_setscheduler(0, SCHED_FIFO, &priority) != 0) fail_errno("sched_setscheduler");
  Wire wire(std::move(options));
  std::puts("READY");
  std::fflush(stdout);
  wire.run(stop_requested);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc, argv);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "wire: %s\n", error.what());
    return 2;
  }
}
