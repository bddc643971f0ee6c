"""Captures of a folder, and where the results of other tools for each of them are kept."""
import fnmatch
import gzip
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SUFFIXES = {".pcap", ".pcapng", ".cap", ".snoop"}
TIMEOUT = 1800  # seconds a capture
ORACLE = Path(__file__).resolve().parent / "oracle.py"


def of(capture, folder, beside):
    """Where the results of a capture are, or would be."""
    name = beside / capture.relative_to(folder)
    plain = name.with_name(name.name + ".json")
    return plain if plain.exists() else name.with_name(name.name + ".json.gz")


def captures(folder, beside, only):
    """(capture, its results, its name), whether or not there are any results yet."""
    for capture in sorted(folder.rglob("*")):
        name = str(capture.relative_to(folder))
        if capture.suffix in SUFFIXES and capture.is_file() and fnmatch.fnmatchcase(name, only):
            yield capture, of(capture, folder, beside), name


def make(work, jobs):
    """Asks the other tools about each capture that has no results. What failed."""
    missing = [(capture, results) for capture, results, _ in work if not results.exists()]
    failed = []
    with ThreadPoolExecutor(jobs) as crew:
        for done, (capture, error) in enumerate(crew.map(lambda m: make_one(*m), missing), 1):
            if error:
                failed.append(f"{capture}: {error}")
            progress("results made", done, len(missing))
    return failed


def make_one(capture, results):
    try:
        run = subprocess.run([sys.executable, str(ORACLE), str(capture)], capture_output=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return capture, f"no end after {TIMEOUT} s"
    if run.returncode:
        return capture, run.stderr.decode("utf8", "replace").strip()[-300:]
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_bytes(gzip.compress(run.stdout, mtime=0))
    return capture, None


def progress(what, done, of_all):
    """For whoever waits in front of a terminal."""
    if sys.stderr.isatty():
        print(f"\r{what}: {done} of {of_all}", end="\n" if done == of_all else "", file=sys.stderr, flush=True)
