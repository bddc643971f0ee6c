#!/bin/sh
# Measures the program on the trace and says whether it is within its bars: docs/PERFORMANCE.md.
#
#   tests/bench/run.sh [BUILD_DIRECTORY [ROUNDS]]
#
# Wants a release build (meson setup build --buildtype=release) and Debian's softflowd. The trace (1.3 GB) is made once,
# in the build directory.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-$here/../../build}
rounds=${2:-5}
trace=$build/tests/bench/trace.pcap

if ! [ -s "$trace" ]; then
  "$build/tests/bench/gen_trace" "$trace.part" "$build/tests/bench/trace" 1
  mv "$trace.part" "$trace"
fi
exec python3 "$here/ratio.py" --trace "$trace" --base "$build/tests/bench/base_pcap" --rounds "$rounds" \
  --bar flows=0.30 --bar everything=0.55 --memory 150 \
  "flows=$build/augprobe replay -q --set dissect.enabled=false -e null: {}" \
  "everything=$build/augprobe replay -q -e file:$build/tests/bench/trace.ipfix {}"
