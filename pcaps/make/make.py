#!/usr/bin/env python3
"""Makes captures of our own: real servers and clients across the wire of tests/lab. Needs root.

Usage: make.py [--wire build/tests/lab/wire] NAME… | --all | --list
"""
import argparse
import os
import sys

import capture
from kit import world

import dns  # noqa: F401  (each registers its captures)
import http_faults  # noqa: F401
import http_plain  # noqa: F401
import icmp  # noqa: F401
import mysql  # noqa: F401
import quic  # noqa: F401
import rtp  # noqa: F401
import rtsp  # noqa: F401
import sip  # noqa: F401


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wire", default=os.path.join(os.path.dirname(capture.PCAPS), "build/tests/lab/wire"))
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("names", nargs="*", metavar="NAME")
    args = parser.parse_args()
    if args.list:
        for made in capture.CAPTURES.values():
            print(f"{made.name:22} {made.shows}")
        return
    unknown = [name for name in args.names if name not in capture.CAPTURES]
    if unknown or not (args.names or args.all):
        parser.error(f"unknown: {', '.join(unknown)}" if unknown else "which?")
    world.skip_without_root()
    world.die_cleanly_on_sigterm()
    for name in capture.CAPTURES if args.all else args.names:
        capture.make(capture.CAPTURES[name], args.wire)


if __name__ == "__main__":
    sys.exit(main())
