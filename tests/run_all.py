#!/usr/bin/env python3
"""Builds everything and runs every test, in stages; the last line is "N passed, N failed".

A stage that cannot be built or does not end counts as a failed test. What is skipped is said, with its reason. Logs of
each step are in build-test-logs/. Stages: format, gcc, clang, fuzz, threads, lab.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOGS = ROOT / "build-test-logs"
SKIPPED = 77  # exit code of a test that cannot run here
FUZZ_SECONDS = 60
STARTED = time.monotonic()
PRINTING = threading.Lock()


def say(text):
    with PRINTING:
        print(f"[{time.monotonic() - STARTED:5.0f} s] {text}", flush=True)


class Tally:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, [], []

    def add(self, name, good, why=""):
        if good:
            self.passed += 1
        else:
            self.failed.append(f"{name}: {why}" if why else name)
            say(f"FAILED {self.failed[-1]}")

    def skip(self, name, why):
        self.skipped.append(f"{name}: {why}")
        say(f"skipped {self.skipped[-1]}")


class Failed(Exception):
    """A step without which its stage cannot go on."""


def tail(log, lines=30):
    text = log.read_text(errors="replace").splitlines()
    wrong = [i for i, line in enumerate(text) if re.search(r"FAILED|error|ERROR", line)]
    start = max(0, min(wrong[0], len(text)) - 2) if wrong else max(0, len(text) - lines)
    with PRINTING:
        print("\n".join(f"    {line}" for line in text[start:start + lines]), flush=True)


def run(name, command, timeout, environment=None, interesting=None):
    """Runs a command, its output into a log. Prints lines that match `interesting`, of a build one every 15 s. The exit code;
    None if it did not end in time."""
    LOGS.mkdir(exist_ok=True)
    log = LOGS / f"{name}.log"
    told = time.monotonic()
    with log.open("w") as out:
        process = subprocess.Popen([str(c) for c in command], cwd=ROOT, env={**os.environ, **(environment or {})}, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   errors="replace", start_new_session=True)
        late = threading.Timer(timeout, lambda: os.killpg(process.pid, signal.SIGKILL))
        late.start()
        for line in process.stdout:
            out.write(line)
            if interesting and interesting.search(line):
                say(f"  {line.strip()}")
            elif re.match(r"\[\d+/\d+\]", line) and time.monotonic() - told > 15:
                told = time.monotonic()
                say(f"  {line.strip()[:100]}")
        process.wait()
        overdue = not late.is_alive()
        late.cancel()
    return None if overdue else process.returncode


def must(name, command, timeout, **how):
    code = run(name, command, timeout, **how)
    if code != 0:
        tail(LOGS / f"{name}.log")
        raise Failed(f"{name}: " + (f"not done after {timeout} s" if code is None else f"exit code {code}"))


def compiler(name):
    """meson looks for ccache itself, but not for a compiler that is named."""
    return f"ccache {name}" if shutil.which("ccache") else name


def build(directory, options, targets=(), clang=False, optimization=1):
    """-O2 -g takes six times as long to compile as -O0 with line numbers, and finds nothing more."""
    environment = {"CC": compiler("clang"), "CXX": compiler("clang++")} if clang else {}
    if not (ROOT / directory / "build.ninja").exists():
        must(f"{directory}-setup", ["meson", "setup", directory, f"-Doptimization={optimization}", "-Ddebug=false",
                                    "-Db_lto=false", "-Dcpp_args=-g1", "-Db_ndebug=false", *options], 120, environment=environment)
    must(f"{directory}-build", ["ninja", "-C", directory, f"-j{os.cpu_count()}", *(targets or PREPARED)], 2400)


PREPARED = ["all", "meson-test-prereq"]  # everything, and what tests need beyond it
ADDRESS = ["-Db_sanitize=address,undefined", "-Db_lundef=false"]
STRICT = {"UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1", "ASAN_OPTIONS": "detect_stack_use_after_return=1",
          "TSAN_OPTIONS": "halt_on_error=1"}


def count_cases(directory, tally):
    """Adds the cases of the meson tests that ran: those of a gtest binary one by one. Names of tests that failed as a whole,
    after all of their cases had passed, count once more."""
    logs = ROOT / directory / "meson-logs"
    blamed = set()
    for suite in ElementTree.parse(logs / "testlog.junit.xml").getroot().iter("testsuite"):
        for case in suite.iter("testcase"):
            name = f"{suite.get('name', '')}.{case.get('name', '')}".removeprefix("augprobe.")
            broken = case.find("failure") if case.find("failure") is not None else case.find("error")
            if case.find("skipped") is not None or case.get("result") == "skipped":
                tally.skip(f"{directory}: {name}", "the test says that it cannot run here")
                continue
            tally.add(f"{directory}: {name}", broken is None)
            if broken is not None:
                blamed.add(suite.get("name", ""))
    for line in (logs / "testlog.json").read_text().splitlines():
        test = json.loads(line)
        if test["result"] in ("OK", "EXPECTEDFAIL", "SKIP"):
            continue
        name = test["name"].split(" / ")[-1]
        if not any(name in suite or suite in test["name"] for suite in blamed):
            tally.add(f"{directory}: {name}", False, f"{test['result']}, exit code {test['returncode']}")


def meson_test(directory, tally, arguments=(), timeout=1500):
    for old in [*(ROOT / directory).glob("*.xml"), *(ROOT / directory / "meson-logs").glob("testlog*")]:
        old.unlink()  # cases of an earlier run must not stand for those of a test that crashes now
    code = run(f"{directory}-test", ["meson", "test", "-C", directory, "--no-rebuild", "--print-errorlogs", "-t", "5", *arguments],
               timeout, environment=STRICT, interesting=re.compile(r"^ *\d+/\d+ "))
    failed = len(tally.failed)
    if (ROOT / directory / "meson-logs/testlog.junit.xml").exists():
        count_cases(directory, tally)
    if code != 0:
        if len(tally.failed) == failed:
            tally.add(f"{directory}: meson test", False, "not done in time" if code is None else f"exit code {code}")
        tail(LOGS / f"{directory}-test.log", 80)


def stage_format(tally):
    """Every source as clang-format writes it."""
    sources = sorted(p for d in ("probe", "dissectors", "exporter", "tests") for p in (ROOT / d).rglob("*")
                     if p.suffix in (".h", ".cpp"))
    code = run("format", ["clang-format", "--dry-run", "-Werror", *sources], 300)
    tally.add(f"clang-format over {len(sources)} files", code == 0)
    if code != 0:
        tail(LOGS / "format.log")


def stage_gcc(tally):
    """g++, address and undefined-behaviour sanitizers: all tests."""
    build("build-test-gcc", ADDRESS, optimization=0)
    meson_test("build-test-gcc", tally)


def stage_clang(tally):
    """clang++, the same sanitizers, with the fuzz targets: everything compiles; unit tests."""
    build("build-test-clang", ["-Dfuzz=true", "-Db_lundef=false"], clang=True)
    tally.add("clang++ builds everything", True)
    meson_test("build-test-clang", tally, ["--suite", "unit"])


def stage_fuzz(tally):
    """Each fuzz target for a minute, two at a time. Needs the stage clang."""
    targets = subprocess.run([ROOT / "tests/fuzz/run.sh", "--list"], capture_output=True, text=True, check=True).stdout.split()
    environment = {"BUILD": str(ROOT / "build-test-clang")}

    def fuzz(target):
        code = run(f"fuzz-{target}", ["tests/fuzz/run.sh", str(FUZZ_SECONDS), target], FUZZ_SECONDS * 5, environment)
        text = (LOGS / f"fuzz-{target}.log").read_text(errors="replace")
        runs = re.search(r"stat::number_of_executed_units: (\d+)", text)
        say(f"  {target}: {runs[1] if runs else 'no'} inputs")
        if code == 0 and (not runs or runs[1] == "0"):
            code = "no input was tried"
        return target, code

    with concurrent.futures.ThreadPoolExecutor(2) as both:
        for target, code in both.map(fuzz, targets):
            tally.add(f"fuzz: {target}", code == 0, f"exit code {code}, see {LOGS.name}/fuzz-{target}.log")
            if code != 0:
                tail(LOGS / f"fuzz-{target}.log")


def stage_threads(tally):
    """Thread sanitizer: rings, exporter, packet sockets, the running probe, and a replay with four workers that must give the
    records of one."""
    directory = "build-test-threads"
    tests = ("base", "exporter_run", "live", "run", "live_run")
    build(directory, ["-Db_sanitize=thread", "-Db_lundef=false"],
          ["augprobe", "tests/probe/base/base_test", "tests/probe/live/live_test", "tests/exporter/run/exporter_run_test", "tests/probe/run/run_test",
           "tests/probe/run/live_run_test"])
    meson_test(directory, tally, tests)
    captures = sorted((ROOT / "pcaps").glob("*.pcap"))
    records = {}
    for workers in ("1", "4"):
        out = LOGS / f"threads-{workers}.jsonl"
        code = run(f"threads-{workers}", [f"{directory}/augprobe", "replay", "--quiet", "--workers", workers, "--json", out,
                                          "--export", "null:", *captures], 600, environment=STRICT)
        tally.add(f"threads: replay with {workers} workers", code == 0, f"exit code {code}")
        if code != 0:
            tail(LOGS / f"threads-{workers}.log")
        records[workers] = sorted(out.read_text().splitlines()) if out.exists() else []
    tally.add("threads: four workers give the records of one", records["1"] and records["1"] == records["4"])


def lab_test(tally, test, *arguments):
    gcc = ROOT / "build-test-gcc"
    name = f"lab-{test}"
    code = run(name, [sys.executable, f"tests/lab/{test}_test.py", gcc / "augprobe", gcc / "tests/lab/wire", *arguments], 600,
               environment=STRICT, interesting=re.compile(r"^\S"))
    if code == SKIPPED:
        text = (LOGS / f"{name}.log").read_text(errors="replace").strip().splitlines()
        return tally.skip(f"lab: {test} test", text[-1] if text else "no root, or no namespaces")
    tally.add(f"lab: {test} test", code == 0, "not done in time" if code is None else f"exit code {code}")
    if code != 0:
        tail(LOGS / f"{name}.log", 60)


def stage_lab(tally):
    """Real servers and clients across a fresh impaired wire, compared with its truth; a matrix of troubles in short form; a running
    probe that is reloaded, whose collectors and links come and go, whose pools are full. Needs the stage gcc, root and namespaces."""
    if not (ROOT / "build-test-gcc/augprobe").exists():
        raise Failed("there is no build-test-gcc/augprobe")
    lab_test(tally, "live")
    with concurrent.futures.ThreadPoolExecutor(2) as both:  # they mostly wait
        for test in [both.submit(lab_test, tally, *test) for test in (("outage",), ("matrix",), ("pools",), ("reload", "40"))]:
            test.result()


STAGES = {name.removeprefix("stage_"): function for name, function in list(globals().items()) if name.startswith("stage_")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", nargs="*", choices=[[], *STAGES], help="run only these")
    wanted = parser.parse_args().stage or list(STAGES)
    tally, times = Tally(), []
    for number, name in enumerate(wanted, 1):
        begin = time.monotonic()
        say(f"=== {number}/{len(wanted)} {name}: {STAGES[name].__doc__}")
        before = tally.passed
        try:
            STAGES[name](tally)
        except Exception as e:  # a stage must not take the others with it
            tally.add(f"stage {name}", False, str(e) or type(e).__name__)
        times.append(f"{name} {time.monotonic() - begin:.0f} s")
        say(f"=== {name}: {tally.passed - before} passed in {time.monotonic() - begin:.0f} s")
    print("\ntime: " + ", ".join(times) + f"; {time.monotonic() - STARTED:.0f} s in all")
    for line in tally.skipped:
        print(f"skipped: {line}")
    for line in tally.failed:
        print(f"failed: {line}")
    print(f"{tally.passed} passed, {len(tally.failed)} failed", flush=True)
    sys.exit(1 if tally.failed else 0)


if __name__ == "__main__":
    main()
