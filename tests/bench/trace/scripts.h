// What is said in a flow: one script for each kind of flow fills its packets and writes the truth about them.
#pragma once

#include "tests/bench/trace/connection.h"
#include "tests/bench/trace/flow.h"
#include "tests/bench/trace/random.h"
#include "tests/bench/trace/truth.h"

namespace trace {

void script_http(Connection& connection, Truth& truth);
void script_mysql(Connection& connection, Truth& truth);
void script_dns(Flow& flow, Random& random, Truth& truth);

}  // namespace trace
