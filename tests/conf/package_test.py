#!/usr/bin/env python3
"""The Debian package: what is in it, and that dpkg installs, removes and purges it in a root of its own. Speaks TAP.

Usage: package_test.py AUGPROBE SOURCE_ROOT
The package is built around the program that was built already, so this takes seconds.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import traceback

AUGPROBE, ROOT = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2])
CONFIGURATION = "/etc/augprobe/augprobe.toml"
CASES = []


def case(function):
    CASES.append(function)
    return function


def run(*command, **how):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300, **how)
    assert done.returncode == 0, f"{command}: exit code {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout


class Package:
    def __init__(self, folder):
        run("sh", ROOT / "conf/debian/build.sh", "--program", AUGPROBE, folder)
        self.path, = folder.glob("*.deb")
        self.control = folder / "control"
        run("dpkg-deb", "--control", self.path, self.control)
        self.fields = dict(re.findall(r"^([A-Z][\w-]*): (.*)", (self.control / "control").read_text(), re.M))
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", self.path], stdout=subprocess.PIPE) as out:
            with tarfile.open(fileobj=out.stdout, mode="r|") as tar:
                self.files = {member.name.lstrip("."): member for member in tar}


@case
def its_fields_are_those_of_the_project(package, _):
    version = re.search(r"\d+\.\d+\.\d+", run(AUGPROBE, "--version"))[0]
    assert package.fields["Version"] == version
    assert package.path.name == f"augprobe_{version}_{run('dpkg', '--print-architecture').strip()}.deb"
    assert re.fullmatch(r"[^<>]+ <\S+@\S+>", package.fields["Maintainer"]), package.fields["Maintainer"]
    assert len(package.fields["Description"]) <= 80


@case
def it_depends_on_every_library_that_the_program_needs(package, _):
    needed = re.findall(r"NEEDED\s+Shared library: \[(.*)\]", run("readelf", "-d", AUGPROBE).replace("(NEEDED)", "NEEDED"))
    needed = [name for name in needed if not name.startswith("ld-linux")]  # the loader, of libc6
    assert any(name.startswith("libfixbuf") for name in needed), needed
    listed = {re.split(r"[ :|(]", item.strip())[0] for item in package.fields["Depends"].split(",")}
    for library in needed:
        path = next(p for p in re.findall(rf"{re.escape(library)} => (\S+)", run("ldd", AUGPROBE)))
        for name in {path, os.path.realpath(path), path.removeprefix("/usr"), "/usr" + path}:
            found = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True).stdout
            if found:
                break
        assert found.split(":")[0] in listed, f"{library} of {found!r} is not in {sorted(listed)}"


@case
def everything_is_at_its_place_with_its_mode(package, _):
    for path, mode in (("/usr/bin/augprobe", 0o755), ("/usr/lib/systemd/system/augprobe.service", 0o644),
                       ("/usr/lib/sysusers.d/augprobe.conf", 0o644), ("/usr/lib/udev/rules.d/60-augprobe.rules", 0o644),
                       ("/usr/share/man/man1/augprobe.1.gz", 0o644), ("/usr/share/doc/augprobe/copyright", 0o644),
                       ("/usr/share/doc/augprobe/changelog.gz", 0o644), (CONFIGURATION, 0o644)):
        assert path in package.files, f"{path} is missing"
        assert package.files[path].mode == mode, f"{path} has mode {package.files[path].mode:o}"
    for path, member in package.files.items():
        assert (member.uid, member.gid) == (0, 0), f"{path} belongs to {member.uid}:{member.gid}"
        assert member.mode & 0o6022 == 0, f"{path} has mode {member.mode:o}"
        assert re.match(r"/?$|/(usr|etc)(/|$)", path), path
        assert "test" not in path and not path.endswith((".a", ".h")), path


@case
def its_configuration_is_kept_on_upgrades_and_nothing_else_is(package, _):
    listed = (package.control / "conffiles").read_text().split()
    assert listed == [path for path, member in package.files.items() if path.startswith("/etc/") and member.isfile()]
    assert listed == [CONFIGURATION]


@case
def its_checksums_are_right(package, tmp):
    run("dpkg-deb", "--extract", package.path, tmp / "tree")
    run("md5sum", "--check", "--quiet", package.control / "md5sums", cwd=tmp / "tree")
    listed = {line.split()[1] for line in (package.control / "md5sums").read_text().splitlines()}
    assert listed == {p[1:] for p, member in package.files.items() if member.isfile() and not p.startswith("/etc/")}


@case
def its_unit_starts_the_program_with_the_configuration_of_the_package(package, tmp):
    unit = (tmp / "tree/usr/lib/systemd/system/augprobe.service").read_text()
    program, *arguments = re.search(r"^ExecStart=(.*)", unit, re.M)[1].split()
    assert program in package.files and package.files[program].mode & 0o111
    assert CONFIGURATION in arguments
    assert re.search(r"^User=(\w+)", unit, re.M)[1] == re.search(
        r"^u (\w+) ", (tmp / "tree/usr/lib/sysusers.d/augprobe.conf").read_text(), re.M)[1]


@case
def its_scripts_are_good_shell(package, _):
    for name in ("postinst", "prerm", "postrm"):
        script = package.control / name
        assert script.stat().st_mode & 0o777 == 0o755
        run("sh", "-n", script)
        assert "set -e" in script.read_text()


@case
def dpkg_installs_removes_and_purges_it(package, tmp):
    """In a root of its own, with the scripts of the package run from outside (dpkg's DPKG_ROOT)."""
    if os.geteuid() != 0:
        return "dpkg --root needs root"
    root = tmp / "root"
    for folder in ("var/lib/dpkg/info", "var/lib/dpkg/updates", "etc"):
        (root / folder).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    dpkg = ("dpkg", f"--root={root}", "--force-script-chrootless", "--force-depends", "--no-triggers")
    run(*dpkg, "--install", package.path)
    assert "install ok installed" in run("dpkg-query", f"--admindir={root}/var/lib/dpkg", "-s", "augprobe")
    assert re.search(r"^augprobe:.*:/usr/sbin/nologin$", (root / "etc/passwd").read_text(), re.M)
    assert run(root / "usr/bin/augprobe", "--version") == run(AUGPROBE, "--version")
    assert ": good" in run(root / "usr/bin/augprobe", "check-config", root / CONFIGURATION[1:])
    changed = root / CONFIGURATION[1:]
    changed.write_text(changed.read_text() + "# ours\n")
    run(*dpkg, "--install", package.path)
    assert changed.read_text().endswith("# ours\n"), "an upgrade must leave a changed configuration alone"
    (root / "var/lib/augprobe").mkdir()
    run(*dpkg, "--remove", "augprobe")
    assert changed.exists() and not (root / "usr/bin/augprobe").exists()
    run(*dpkg, "--purge", "augprobe")
    left = [p for p in root.rglob("*augprobe*") if "var/lib/dpkg" not in str(p)]
    assert not left, left


def main():
    missing = [tool for tool in ("dpkg-deb", "dpkg-shlibdeps", "systemd-sysusers", "readelf", "meson") if not shutil.which(tool)]
    if missing:
        print(f"1..0 # SKIP there is no {', '.join(missing)}")
        return 0
    print(f"1..{len(CASES)}", flush=True)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="augprobe-package-") as directory:
        tmp = pathlib.Path(directory)
        package = Package(tmp)
        for number, function in enumerate(CASES, 1):
            name = function.__name__.replace("_", " ")
            try:
                skipped = function(package, tmp)
                print(f"ok {number} {name}" + (f" # SKIP {skipped}" if skipped else ""), flush=True)
            except Exception:
                failed += 1
                print(f"not ok {number} {name}", flush=True)
                print("".join(f"# {line}\n" for line in traceback.format_exc().splitlines()), end="", flush=True)
    return 1 if failed else 0


sys.exit(main())
