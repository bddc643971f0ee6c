#!/bin/sh
# Shows what augprobe does: the captures of pcaps/ go through the real exporter, as IPFIX over loopback, into the embedded
# collector, and the tables of what arrived are printed. Installs and builds what is missing.
# Exit code 0 only if the records that arrived are those that were sent.
set -eu
cd "$(dirname "$0")"
build=${BUILD:-build-demo}
augprobe=$build/augprobe
database=$build/demo.sqlite
sent=$build/demo-sent.jsonl
received=$build/demo-received.jsonl
collector=

fail() { echo "demo: $*" >&2; exit 1; }
say() { printf '\n== %s\n' "$*"; }
# shellcheck disable=SC2317
end() { [ -z "$collector" ] || kill "$collector" 2>/dev/null || true; }
trap end EXIT
trap 'exit 130' INT TERM HUP

say "Installing what is missing (build packages only)"
tests/install_packages.sh || fail "the packages could not be installed"

say "Building a release in $build (some minutes the first time)"
[ -f "$build/build.ninja" ] || meson setup "$build" --buildtype=release -Dtests=false >"$build.log" 2>&1 ||
  { cat "$build.log"; fail "meson could not set up the build"; }
rm -f "$build.log"
if [ -t 1 ]; then
  ninja -C "$build" augprobe || fail "the build failed"
else  # without a terminal ninja would print a line a file
  ninja -C "$build" augprobe >"$build/demo-build.log" || { tail -n 40 "$build/demo-build.log"; fail "the build failed"; }
fi
"$augprobe" --version

say "Sending the records of $(ls pcaps/*.pcap | wc -l) captures over loopback"
rm -f "$database" "$sent" "$received"
: >"$build/demo-collector.log"  # read at once, before the collector may have come to open it
"$augprobe" collect --listen tcp://127.0.0.1:0 --store "$database" --json "$received" 2>"$build/demo-collector.log" &
collector=$!
port=
for _ in $(seq 100); do
  port=$(sed -n 's/.*(port \([0-9]*\)).*/\1/p' "$build/demo-collector.log")
  [ -n "$port" ] && break
  kill -0 "$collector" 2>/dev/null || { cat "$build/demo-collector.log"; fail "the collector did not start"; }
  sleep 0.1
done
[ -n "$port" ] || fail "the collector did not listen"
echo "augprobe collect --listen tcp://127.0.0.1:$port --store $database"
echo "augprobe replay --export tcp://127.0.0.1:$port pcaps/*.pcap"
good=yes
"$augprobe" replay --quiet --export "tcp://127.0.0.1:$port" --json "$sent" pcaps/*.pcap || good=
kill -TERM "$collector" 2>/dev/null || true
wait "$collector" || good=
collector=

count() { grep -c "^{\"record\":\"$1\"" "$2" || true; }
printf '\n%-10s %8s %8s\n' record sent arrived
for kind in $(sed 's/^{"record":"\([a-z0-9_]*\)".*/\1/' "$sent" "$received" | sort -u); do
  printf '%-10s %8s %8s\n' "$kind" "$(count "$kind" "$sent")" "$(count "$kind" "$received")"
done
for file in "$sent" "$received"; do LC_ALL=C sort -o "$file" "$file"; done
[ -s "$sent" ] && cmp -s "$sent" "$received" || good=

say "What arrived"
"$augprobe" show "$database" --top 8

say "A question to the database: who loses how much?"
"$augprobe" show "$database" --query retransmission --top 8

say "Result"
echo "The records are in $database (SQLite, one table a kind); ask it anything:"
echo "  $augprobe show $database --query 'SELECT dnsQueryName, count(*) FROM dns GROUP BY 1 ORDER BY 2 DESC'"
if [ -z "$good" ]; then
  cat "$build/demo-collector.log"
  diff "$sent" "$received" | head -n 20
  fail "what arrived is not what was sent: $sent, $received"
fi
echo "Every record that was sent arrived unchanged."
