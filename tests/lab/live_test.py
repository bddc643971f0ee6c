#!/usr/bin/env python3
"""nginx, unbound and MariaDB across a fresh wire, and the probe's records of it against the truth. Needs root.

Usage: live_test.py PROBE WIRE [NAME…]   (NAME: a capture of pcaps/make, made anew instead of the mixtures below)
"""
import json
import os
import sys
import tempfile

from kit import pcapfile, world
from kit.compare import Comparison, replay

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../pcaps/make"))

from capture import CAPTURES, Capture, take  # noqa: E402  (found through the line above)
import curl  # noqa: E402
import dns  # noqa: E402
import http_faults  # noqa: E402,F401  (registers its captures)
import http_plain  # noqa: E402
import mysql  # noqa: E402
from kit.servers import Mariadb, Unbound  # noqa: E402


def mixture(w):
    """A bit of everything, with downloads and results long enough to lose something."""
    nginx = http_plain.serve(w, upstream=True)
    unbound = Unbound(w, dns.ZONE, dns.RECORDS, dns.SERVER)
    mariadb = Mariadb(w, mysql.SETUP)
    said = [http_plain.said(nginx, curl.curl(w, "/a.html", "/large.bin", "/slow?ms=60", "/missing")
                            + curl.curl(w, "/text.txt", ["-d", "x=1", "/form"])),
            mysql.said(mariadb, [mysql.client(w, "SELECT * FROM big;\nSELECT SLEEP(0.1);\nSELECT nothing FROM item;\n"
                                              "UPDATE item SET price = 1;\n")]),
            dns.said(unbound, dns.dig(w, "www.lab.example A", "gone.lab.example A", "+tcp lab.example MX",
                                      options=("+tries=3", "+time=1", "+nocookie")))]
    del said[0]["client"]["curl"]  # a busy machine makes a client wait
    said[0]["server"]["http"] = nginx.log()  # the last request is logged when it has ended
    return {key: {kind: value for part in said for kind, value in part[key].items()} for key in ("server", "client")} | {
        "software": []}


MIXTURES = (
    Capture("no_fault", "", mixture, delay_ms=(3, 7)),
    Capture("loss_on_both_sides", "", mixture, delay_ms=(4, 9), client_up="loss=2%", client_down="loss=3%",
            server_up="loss=2%", server_down="loss=3%", seed=os.getpid()),
    Capture("order_and_duplicates", "", mixture, delay_ms=(4, 6), server_down="reorder=3%:2ms,dup=2%",
            client_down="reorder=3%:2ms,dup=2%", seed=os.getpid()),
)


def main():
    world.skip_without_root()
    world.die_cleanly_on_sigterm()
    probe, wire, names = sys.argv[1], sys.argv[2], sys.argv[3:]
    failed = 0
    for made in [CAPTURES[name] for name in names] or MIXTURES:
        frames, facts, _ = take(made, wire)
        with tempfile.TemporaryDirectory(prefix="augprobe-lab-") as directory:
            pcapfile.write(f"{directory}/live.pcap", frames)
            result = Comparison(json.loads(json.dumps(facts)), replay(probe, f"{directory}/live.pcap")).run()
        failed += not result.report(made.name)
        if result.faults:
            print(f"       made with {' '.join(made.wire_options())}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
