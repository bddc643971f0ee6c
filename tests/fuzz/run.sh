#!/bin/sh
# Fuzzes every target, or those named, for SECONDS each: tests/fuzz/run.sh SECONDS [TARGET...]
# tests/fuzz/run.sh --list names the targets.
# Builds with clang into build-fuzz (or $BUILD). What was found lies in there as TARGET-crash-..., exit code 1.
set -eu
seconds=${1:?"usage: tests/fuzz/run.sh SECONDS [TARGET...]"}
shift
root=$(cd "$(dirname "$0")/../.." && pwd)
build=${BUILD:-$root/build-fuzz}

all=$(cd "$root/tests/fuzz" && ls ./*_fuzz.cpp | sed 's,^\./,,; s,\.cpp$,,' | grep -v '^dissector_fuzz$')
all="$all $(cd "$root/dissectors" && ls ./*.cpp | sed 's,^\./,,; s,\.cpp$,_dissector_fuzz,')"
if [ "$seconds" = --list ]; then
  printf '%s\n' $all
  exit 0
fi

[ -f "$build/build.ninja" ] || CC=clang CXX=clang++ meson setup "$build" "$root" --buildtype=debugoptimized -Db_lto=false -Dfuzz=true
failed=0
for target in ${*:-$all}; do
  ninja -C "$build" "tests/fuzz/$target"
  # New inputs stay in the build folder; the kept ones are only read.
  mkdir -p "$build/found/$target"
  kept=$root/tests/fuzz/inputs/$target
  case $target in
    *_dissector_fuzz)  # made from the captures
      kept=$build/tests/fuzz/${target}_scripts
      ninja -C "$build" "tests/fuzz/${target}_scripts" ;;
  esac
  UBSAN_OPTIONS=print_stacktrace=1 "$build/tests/fuzz/$target" -max_total_time="$seconds" -rss_limit_mb=2048 \
    -timeout=25 -max_len=65536 -print_final_stats=1 -verbosity=1 -artifact_prefix="$build/$target-" \
    "$build/found/$target" "$kept" || failed=1
done
exit $failed
