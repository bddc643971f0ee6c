// Takes private text out of a record before it leaves the probe.
#pragma once

#include "exporter/record/record.h"

namespace probe {

struct Redaction;
void redact(Record&, const Redaction&);

}  // namespace probe
