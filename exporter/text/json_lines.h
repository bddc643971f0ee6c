// Records as JSON lines: one object a record, "record" = its kind, then its elements by name. Absent = not measured.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>

#include "exporter/record/sink.h"

namespace probe {

// Appends the record as one line with its end.
void append_json(const Record&, std::string& out);

class JsonLines final : public Sink {
 public:
  // "-" is standard output. Throws std::runtime_error if the file cannot be written.
  explicit JsonLines(const std::string& path);
  ~JsonLines() override;
  void put(const Record&) override;
  void flush() override;
  // Throws std::runtime_error if anything could not be written.
  void finish() override;

 private:
  std::string path_;
  std::FILE* file_;
  std::string buffer_, value_;
  int error_ = 0;
};

}  // namespace probe
