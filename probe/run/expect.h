// Validation: the records of a run compared with expected ones.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "exporter/record/sink.h"

namespace probe::run {

// Reads the expected records (JSON lines) at once; throws std::runtime_error with file and line if they are none.
// Records are paired by kind, endpoints and order in time; flowId is not compared. Counts and texts are equal or not;
// times may differ by 1 of their unit and durations by 1 µs or 0.1 %, as rounding of other tools' output makes them.
class Expectation final : public Sink {
 public:
  explicit Expectation(const std::string& path);
  ~Expectation() override;
  void put(const Record&) override;
  void finish() override {}
  // Prints what is missing, extra or different. True if nothing is.
  bool report(std::FILE*);

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace probe::run
