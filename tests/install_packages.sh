#!/bin/sh
# Installs what is missing of Debian 12's packages: to build (default), or to build and test (--test). Needs root or sudo.
set -eu

build="meson ninja-build pkg-config g++ libfixbuf-dev libcli11-dev libtomlplusplus-dev libfmt-dev libsqlite3-dev
  nlohmann-json3-dev zlib1g-dev libzstd-dev liblzma-dev"
test="clang libclang-rt-14-dev libgtest-dev libgmock-dev libbenchmark-dev python3 nfdump pmacct tshark softflowd libpcap-dev
  sqlite3 nginx-light mariadb-server mariadb-client unbound dnsutils curl iproute2 libmariadb-dev gcc"

wanted=$build
[ "${1:-}" = --test ] && wanted="$build $test"
missing=
for package in $wanted; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

root=
[ "$(id -u)" = 0 ] || root=sudo
echo "installing:$missing" >&2
# Servers that come with the packages are started by tests in namespaces of their own, never as services of this machine.
policy=/usr/sbin/policy-rc.d
made=
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' | $root tee $policy >/dev/null && $root chmod +x $policy && made=yes
fi
export DEBIAN_FRONTEND=noninteractive
$root apt-get update -qq
# shellcheck disable=SC2086
$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
[ -n "$made" ] && $root rm -f $policy
exit 0
