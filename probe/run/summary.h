// What a run counted, for people: on standard error at its end.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "exporter/run/target.h"
#include "probe/base/counters.h"
#include "probe/pipeline/conversation.h"

namespace probe::run {

struct Summary {
  Counters counters;
  std::vector<DissectorCounters> dissection;
  std::vector<TargetReport> targets;
};

// All counters that are not 0, what each dissector saw, and what became of the records of each target.
void print_summary(const Summary&, std::FILE*);

std::string counters_as_markdown();

}  // namespace probe::run
