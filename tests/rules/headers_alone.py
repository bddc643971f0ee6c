#!/usr/bin/env python3
"""Every header compiles alone: it includes what it uses.

usage: headers_alone.py SOURCE_ROOT BUILD_ROOT COMPILER...
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys

root, build, compiler = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
flags = subprocess.run(["pkg-config", "--cflags", "libfixbuf", "libdpdk"], stdout=subprocess.PIPE, text=True).stdout.split()
flags = [flag.replace("-I", "-isystem", 1) if flag.startswith("-I") else flag for flag in flags]  # DPDK's headers warn


def compile_alone(header):
    command = [*compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", f"-I{root}", f"-I{build}", *flags,
               "-x", "c++", "-include", str(header), os.devnull]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return "" if run.returncode == 0 else run.stdout


headers = sorted(h for room in ("probe", "dissectors", "exporter") for h in (root / room).rglob("*.h"))
with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    wrong = [(h, said) for h, said in zip(headers, pool.map(compile_alone, headers)) if said]
for header, said in wrong:
    print(f"{header.relative_to(root)} does not compile alone:\n{said[:600]}")
print(f"{len(headers)} headers, {len(wrong)} do not compile alone")
sys.exit(len(wrong) > 0)
