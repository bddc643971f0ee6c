#!/bin/sh
# Writes the files that are made from the tables. With --check: fails if any of them is stale.
# usage: regenerate.sh BUILD_DIRECTORY [--check]
set -eu
augprobe=$(cd "$1" && pwd)/augprobe
cd "$(dirname "$0")/../.."
stale=0
make() {  # file, command…
  file=$1; shift
  if [ "${check:-}" ]; then
    "$@" | cmp -s - "$file" || { echo "$file is stale: run tests/rules/regenerate.sh BUILD"; stale=1; }
  else
    "$@" > "$file.new" && mv "$file.new" "$file"
  fi
}
ids() { "$augprobe" elements --format csv | tail -n +2 | cut -d, -f1-4 | LC_ALL=C sort; }
[ "${2:-}" = --check ] && check=yes
make docs/ELEMENTS.md "$augprobe" elements --format markdown
make docs/OPTIONS.md "$augprobe" options --format markdown
make docs/COUNTERS.md "$augprobe" counters --format markdown
make conf/augprobe.toml "$augprobe" options --format toml

# Ids may be added, never changed or removed.
lock=exporter/schema/ids.lock
broken=$(ids | LC_ALL=C comm -13 - "$lock" || true)
if [ -n "$broken" ]; then
  echo "these were promised in $lock and are not there any more:"; echo "$broken"; exit 1
fi
make $lock ids
exit $stale
