#!/bin/sh
# Installs what is missing of Debian 12's packages: to build (default), or to build and test (--test). Needs root or sudo
# only if something is missing.
set -eu

build="meson ninja-build pkg-config g++ libfixbuf-dev libcli11-dev libtomlplusplus-dev libfmt-dev libsqlite3-dev
  nlohmann-json3-dev zlib1g-dev libzstd-dev liblzma-dev libpcap-dev prometheus-cpp-dev
  libdpdk-dev"
test="ccache clang clang-format libclang-rt-14-dev libgtest-dev libgmock-dev libbenchmark-dev python3 nfdump pmacct tshark
  softflowd sqlite3 nginx-light mariadb-server mariadb-client unbound dnsutils curl iproute2 libmariadb-dev gcc dpkg-dev systemd"

wanted=$build
[ "${1:-}" = --test ] && wanted="$build $test"
missing=
for package in $wanted; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

root=
if [ "$(id -u)" != 0 ]; then
  root=sudo
  command -v sudo >/dev/null || { echo "these packages are missing, and there is neither root nor sudo:$missing" >&2; exit 1; }
fi
echo "installing:$missing" >&2
# Servers that come with the packages are started by tests in namespaces of their own, never as services of this machine.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap '$root rm -f $policy' EXIT
  trap 'exit 130' INT TERM HUP
  printf '#!/bin/sh\nexit 101\n' | $root tee $policy >/dev/null
  $root chmod +x $policy
fi
$root apt-get update -qq
# shellcheck disable=SC2086
$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
