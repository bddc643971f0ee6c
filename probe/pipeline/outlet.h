// Where finished records leave the pipeline, and where their memory comes back.
#pragma once

#include "exporter/record/record.h"

namespace probe {

class Outlet {
 public:
  virtual ~Outlet() = default;
  // Takes the record. Never refuses: a live outlet drops and counts, a replay's waits.
  virtual void put(Record*) = 0;
  // The pools ran out: gives back what has come back. True if anything has, or will for the waiting (replay).
  virtual bool reclaim() = 0;
  // The pool of this kind is empty because the exporter has its records, not because too many are being written.
  virtual bool behind(std::size_t /*kind*/) const { return false; }
};

}  // namespace probe
