#!/usr/bin/env python3
"""The systemd unit: systemd understands it, and it stays as closed as docs/OPERATIONS.md says. Speaks TAP.

Usage: unit_test.py AUGPROBE UNIT SOURCE_ROOT
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

AUGPROBE, UNIT, ROOT = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])


def analyze(*arguments):
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def understood(unit):
    """verify wants the program to be there: the one that was built stands for the one that will be installed."""
    code, said = analyze("verify", "--man=no", str(unit))
    return (code == 0 and not said.strip()), said


def closed_enough(unit):
    promised = re.search(r"exposure of at most ([\d.]+)", (ROOT / "docs/OPERATIONS.md").read_text())[1]
    code, said = analyze("security", "--offline=true", f"--threshold={int(float(promised) * 10)}", "--no-pager", str(unit))
    # systemd-analyze takes ten times the number that it shows.
    return code == 0, said


def times_fit(unit):
    """What the unit waits for is longer than what the program takes by default."""
    text = unit.read_text()
    options = subprocess.run([AUGPROBE, "options"], capture_output=True, text=True, check=True).stdout
    seconds = {key: int(value) for key, value in re.findall(r'^(\w+) = "(\d+)s"', options, re.M)}
    wait = {key: int(value) for key, value in re.findall(r"^(\w+)=(\d+)s$", text, re.M)}
    wrong = [f"{theirs} {wait[theirs]} s, {ours} {seconds[ours]} s"
             for ours, theirs in (("drain_time", "TimeoutStopSec"), ("hang_time", "WatchdogSec"))
             if ours in seconds and wait[theirs] <= seconds[ours]]
    return not wrong, "\n".join(wrong)


def main():
    if not shutil.which("systemd-analyze"):
        print("1..0 # SKIP there is no systemd-analyze")
        return 0
    checks = [understood, closed_enough, times_fit]
    print(f"1..{len(checks)}")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="augprobe-unit-") as directory:
        unit = pathlib.Path(directory) / UNIT.name
        unit.write_text(re.sub(r"^ExecStart=\S+", f"ExecStart={AUGPROBE}", UNIT.read_text(), flags=re.M))
        for number, check in enumerate(checks, 1):
            good, said = check(unit)
            failed += not good
            print(f"{'ok' if good else 'not ok'} {number} {check.__name__.replace('_', ' ')}")
            if not good:
                print("".join(f"# {line}\n" for line in said.splitlines()), end="")
    return 1 if failed else 0


sys.exit(main())
