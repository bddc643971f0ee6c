#!/bin/sh
# Installs what is missing, builds everything and runs every test. The last line is "N passed, N failed"; exit code 1 if any
# failed. Arguments: names of stages, to run only these (tests/run_all.py --help).
cd "$(dirname "$0")" || exit 1
exec 2>&1
if ! tests/install_packages.sh --test; then
  echo "the packages could not be installed"
  echo "0 passed, 1 failed"
  exit 1
fi
exec python3 tests/run_all.py "$@"
