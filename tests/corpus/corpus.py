#!/usr/bin/env python3
"""Runs the probe over a folder of captures and compares it with what other tools say of them.

What they say is made once, with --make, and kept in NAME.json.gz next to each capture or under --results (README.md). No
crash, hang or sanitizer report; packets and octets, handshakes, round trips, segments seen twice and holes filled of each
direction, and the transactions of HTTP/1, DNS and MySQL must be as expected; what a record says must agree with itself. A table tells how often tcptrace, tshark and
argus have the same figure, and why not. explained.toml lists differences that are known, with the reason.

Exit code 0: no other difference; 1: there is one, or nothing to compare.
"""
import argparse
import difflib
import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import consistent
import flows
import results
import tcp

TIMEOUT = 60  # seconds a capture
TOLERANCE = 1.5  # µs: the probe cuts to microseconds
KEPT = 1023  # octets of a target that can be compared: the rest may be cut
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0", "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}


class Difference:
    def __init__(self, capture, what, detail, where=""):
        self.capture, self.what, self.where, self.detail, self.reason = capture, what, where, detail, None

    def __str__(self):
        return f"{self.capture}: {self.what}: {self.where + ': ' if self.where else ''}{self.detail}"


def run(probe, capture):
    """The records of a capture; an exit code of 1 is a damaged capture, and no fault."""
    command = [*probe, "--json", "-", str(capture)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT, env=os.environ | SANITIZERS, check=False)
    except subprocess.TimeoutExpired:
        return None, "hangs", f"no end after {TIMEOUT} s"
    told = done.stderr.decode("utf8", "replace")
    if done.returncode == 2:
        raise SystemExit(told.strip())  # the options are wrong, for all captures alike
    if done.returncode not in (0, 1) or "Sanitizer" in told or "runtime error" in told:
        return None, "crashes", f"exit code {done.returncode}: {told[:600]}"
    try:
        return [json.loads(line) for line in done.stdout.decode("utf8").splitlines()], None, None
    except ValueError as error:
        return None, "crashes", f"output is not JSON: {error}"


def compare(probe, capture, told, name):
    records, what, detail = run(probe, capture)
    beside = tcp.Beside()
    if what:
        return [Difference(name, what, detail)], beside
    got, expected = flows.of_probe(records), flows.of_tools(told)
    found = [Difference(name, "inconsistent", problem) for problem in consistent.problems(records, flows.reverse)]
    for key in sorted(set(got) | set(expected)):
        for what, detail in differences(expected.get(key), got.get(key), beside):
            found.append(Difference(name, what, detail, flows.name(key)))
    return found, beside


def differences(expected, got, beside):
    if got is None:
        return [("flow missing", counts(expected))]
    if expected is None:
        return [("flow extra", counts(got))]
    return [*sides(expected, got), *tcp.compare(expected, got, beside), *http(expected, got), *dns(expected, got),
            *sql(expected, got)]


def counts(talk):
    return ", ".join(f"{e[0]}:{e[1]} sent {s.packets} packets {s.octets} octets" for e, s in sorted(talk.sides.items()))


def sides(expected, got):
    for sender in sorted(set(expected.sides) | set(got.sides)):
        a, b = expected.sides[sender], got.sides[sender]
        for what in ("packets", "octets"):
            if getattr(a, what) != getattr(b, what):
                yield what, f"{sender[0]}:{sender[1]} sent {getattr(a, what)}, got {getattr(b, what)}"


def clean(transaction):
    method, host, target, status = transaction
    return method, host, target[:KEPT // 4] if target else target, status


def http(expected, got):
    a, b = [clean(t[0]) for t in expected.http], [clean(t[0]) for t in got.http]
    for step, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if step == "equal":
            yield from (d for mine, other in zip(got.http[k:m], expected.http[i:j]) for d in http_times(mine, other))
            continue
        for t in a[i:j]:
            yield "http missing", repr(t)
        for t in b[k:m]:
            yield "http extra", repr(t)


def http_times(mine, other):
    for what, got, expected in zip(("http response time", "http last byte"), mine[1:3], other[1:]):
        if got is None and expected is None:
            continue
        if got is None or expected is None or abs(max(0, expected) - got) > TOLERANCE:
            yield what, f"{mine[0]!r}: expected {expected}, got {got}{' (request_repeated)' if mine[3] else ''}"


def dns(expected, got):
    for what, a, b in (("dns query", expected.queries, got.queries), ("dns answer", expected.answers, got.answers)):
        for question, times in (a - b).items():
            yield f"{what} missing", f"{question} x {times}"
        for question, times in (b - a).items():
            yield f"{what} extra", f"{question} x {times}"
    for question, times in expected.dns_times.items():
        mine = got.dns_times.get(question, [])
        if len(times) == len(mine) == 1 and abs(times[0] - mine[0]) > TOLERANCE:
            yield "dns time", f"{question}: expected {times[0]:.0f}, got {mine[0]}"


def sql(expected, got):
    """tshark tells commands and errors apart; statements by their text, the rest by the number of errors."""
    asked = Counter(text for _, text, _ in expected.sql if text)
    told = Counter(text for _, text, _ in got.sql if text)
    for text, times in (asked - told).items():
        yield "sql missing", f"{text!r} x {times}"
    for text, times in (told - asked).items():
        yield "sql extra", f"{text!r} x {times}"
    a, b = (Counter(code for _, _, code in talk.sql if code) for talk in (expected, got))
    if a != b:
        yield "sql errors", f"expected {dict(a)}, got {dict(b)}"


class Explained:
    """Known differences: [[difference]] with capture and what (patterns of fnmatch), detail (a regular expression)."""

    def __init__(self, path):
        self.rules = tomllib.loads(path.read_text(encoding="utf8"))["difference"]
        self.used = Counter()

    def explain(self, difference):
        for i, rule in enumerate(self.rules):
            if not any(fnmatch.fnmatchcase(difference.capture, p) for p in rule["captures"]):
                continue
            if not any(fnmatch.fnmatchcase(difference.what, p) for p in rule["what"]):
                continue
            if re.search(rule.get("detail", ""), f"{difference.where}: {difference.detail}"):
                self.used[i] += 1
                return rule["reason"]
        return None

    def unused(self, names):
        """Rules about some of these captures, not about any, that explained nothing."""
        return [rule for i, rule in enumerate(self.rules) if not self.used[i] and
                "*" not in rule["captures"] and any(fnmatch.fnmatchcase(n, p) for n in names for p in rule["captures"])]


def report(found, names, explained, beside, verbose):
    if not names:
        print("nothing to compare")
        return 1
    table = Counter((d.what, bool(d.reason)) for d in found)
    print(f"{len(names)} captures compared\n\n{'difference':24} {'explained':>9} {'not explained':>13}")
    for what in sorted({what for what, _ in table}):
        print(f"{what:24} {table[what, True]:9} {table[what, False]:13}")
    by_reason = Counter(d.reason for d in found if d.reason)
    if by_reason:
        print("\nexplained by")
    for reason, times in by_reason.most_common():
        print(f"{times:6}  {reason}")
    print("\n" + "\n".join(beside.table()))
    left = [d for d in found if not d.reason]
    if left:
        print(f"\n{len(left)} not explained:")
    for difference in found if verbose else left:
        print(f"  {difference}{f'  [{difference.reason}]' if difference.reason else ''}")
    if unused := explained.unused(names):
        print(f"\n{len(unused)} explanations without a difference: " +
              "; ".join(f"{rule['captures']} {rule['what']}" for rule in unused))
    return 1 if left else 0


def arguments():
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of captures; those in folders below, too")
    parser.add_argument("--augprobe", default=str(here.parent.parent / "build/augprobe"), help="best one with sanitizers")
    parser.add_argument("--results", type=Path, metavar="DIR", help="where those of oracle.py are, if not beside the captures")
    parser.add_argument("--make", action="store_true", help="make those that are missing: needs tshark, tcptrace and argus")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="an option of the probe")
    parser.add_argument("--explained", type=Path, default=here / "explained.toml", help="differences that are known")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="captures by name")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--verbose", action="store_true", help="also what is explained, capture by capture")
    wanted = parser.parse_args()
    if not wanted.folder.is_dir():
        parser.error(f"{wanted.folder} is no folder")
    if not shutil.which(wanted.augprobe):
        parser.error(f"no program at {wanted.augprobe}: build it, or tell where it is with --augprobe")
    missing = [tool for tool in ("tshark", "tcptrace", "argus", "racluster") if wanted.make and not shutil.which(tool)]
    if missing:
        message = f"not installed: {', '.join(missing)} (apt install tshark tcptrace argus-server argus-client)"
        if "tshark" in missing:
            parser.error(message)
        print(f"{message}: their figures will be missing in the results", file=sys.stderr)
    return wanted


def main():
    wanted = arguments()
    work = list(results.captures(wanted.folder, wanted.results or wanted.folder, wanted.only))
    for failed in results.make(work, wanted.jobs) if wanted.make else []:
        print(f"no results: {failed}")
    ready = [w for w in work if w[1].exists()]
    probe = [wanted.augprobe, "replay", "-q", *(word for option in wanted.set for word in ("--set", option))]
    explained, beside, found = Explained(wanted.explained), tcp.Beside(), []
    with ThreadPoolExecutor(wanted.jobs) as crew:
        for done, (differences_of_one, each) in enumerate(crew.map(lambda w: compare(probe, *w), ready), 1):
            found += differences_of_one
            beside.add(each)
            results.progress("compared", done, len(ready))
    for difference in found:
        difference.reason = explained.explain(difference)
    if len(ready) < len(work):
        print(f"{len(work) - len(ready)} captures have no results of other tools and are not compared: --make asks them\n")
    return report(found, [name for _, _, name in ready], explained, beside, wanted.verbose)


if __name__ == "__main__":
    sys.exit(main())
