#!/bin/sh
# Builds augprobe_VERSION_ARCHITECTURE.deb. usage: build.sh [--program AUGPROBE] [OUTPUT_FOLDER]
# --program: packs this program instead of building one with the options of a release.
# DEBFULLNAME and DEBEMAIL name the maintainer, as for Debian's own tools.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
program=
if [ "${1:-}" = --program ]; then
  program=$(realpath "$2")
  shift 2
fi
mkdir -p "${1:-.}"
out=$(cd "${1:-.}" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
tree=$work/tree
# Files of the same commit give the same package.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH

quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }; }

quietly meson setup "$work/build" "$root" --prefix=/usr --buildtype=release -Dtests=false
if [ -n "$program" ]; then
  cp "$program" "$work/build/augprobe"
else
  ninja -C "$work/build"
fi
quietly meson install -C "$work/build" --no-rebuild --strip --destdir "$tree"

doc=$tree/usr/share/doc/augprobe
cp "$root/LICENSE" "$doc/copyright"
cat "$root/NOTICE" >>"$doc/copyright"
cp "$root"/docs/*.md "$doc/"
gzip -9n <"$root/CHANGELOG.md" >"$doc/changelog.gz"
gzip -9nf "$tree/usr/share/man/man1/augprobe.1"
mkdir -p "$tree/etc/augprobe"
# The service has a folder for its socket; other ways to start the probe have none.
sed 's|^socket = ""$|socket = "/run/augprobe/statistics"|' "$doc/augprobe.toml" >"$tree/etc/augprobe/augprobe.toml"

version=$(meson introspect --projectinfo "$work/build" | sed 's/.*"version": "\([^"]*\)".*/\1/')
architecture=$(dpkg --print-architecture)
mkdir -p "$work/debian" "$tree/DEBIAN"
printf 'Source: augprobe\n\nPackage: augprobe\nArchitecture: any\n' >"$work/debian/control"
(cd "$work" && quietly dpkg-shlibdeps -O"$work/needs" "$tree/usr/bin/augprobe")
depends=$(sed -n 's/^shlibs:Depends=//p' "$work/needs")
# Drivers of NICs are loaded when DPDK starts: no library names them.
recommends=$(case $depends in *librte-eal*) echo "Recommends: librte-meta-net" ;; esac)
{
  cat <<CONTROL
Package: augprobe
Version: $version
Architecture: $architecture
Section: net
Priority: optional
Maintainer: ${DEBFULLNAME:-The augprobe contributors} <${DEBEMAIL:-augprobe@localhost}>
Installed-Size: $(du -sk --apparent-size "$tree" | cut -f1)
Depends: $depends, systemd | systemd-standalone-sysusers
CONTROL
  [ -z "$recommends" ] || echo "$recommends"
  cat "$here/description"
} >"$tree/DEBIAN/control"
(cd "$tree" && find etc -type f | sed 's|^|/|' | LC_ALL=C sort >DEBIAN/conffiles)
(cd "$tree" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum >DEBIAN/md5sums)
for script in postinst prerm postrm; do
  install -m 755 "$here/$script" "$tree/DEBIAN/$script"
done
chmod -R go-w,a+rX "$tree"
dpkg-deb --root-owner-group --build "$tree" "$out/augprobe_${version}_${architecture}.deb"
