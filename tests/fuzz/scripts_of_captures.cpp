// scripts_of_captures PCAPS NAME FOLDER: the flows of the captures of dissector NAME as inputs for its fuzz target.
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>

#include "tests/fuzz/script.h"
#include "tests/kit/capture_traffic.h"

int main(int count, char** arguments) {
  if (count != 4) return std::fprintf(stderr, "usage: scripts_of_captures PCAPS NAME FOLDER\n"), 2;
  const std::string name = arguments[2];
  const std::filesystem::path folder = arguments[3];
  constexpr std::size_t kMostOctets = 16'384;
  try {
    std::filesystem::create_directories(folder);
    for (const auto& capture : probe::test::captures_in(arguments[1])) {
      if (capture.capture != name && !capture.capture.starts_with(name + "_")) continue;
      for (std::size_t i = 0; i < capture.flows.size() && i < 20; ++i) {
        const std::string script = probe::test::script_of(capture.flows[i]).substr(0, kMostOctets);
        std::ofstream(folder / (capture.capture + "_" + std::to_string(i)), std::ios::binary) << script;
      }
    }
    // So that there is an input even before there is a capture.
    std::ofstream(folder / "empty", std::ios::binary) << std::string(1, '\1');
  } catch (const std::exception& e) {
    return std::fprintf(stderr, "%s\n", e.what()), 1;
  }
  return 0;
}
