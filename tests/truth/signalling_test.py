#!/usr/bin/env python3
"""SIP and RTSP of our captures as tshark reads them: every transaction, and its times to the microsecond; and the RTP that they
announced.

usage: signalling_test.py AUGPROBE PCAPS
"""
import json
import pathlib
import subprocess
import sys

augprobe, pcaps = sys.argv[1], pathlib.Path(sys.argv[2])
ROUNDING_US = 2
TSHARK_US = 4000  # tshark's own response times are in milliseconds, and lose some when they borrow from the seconds


def tshark(capture, protocol, *fields):
    command = ["tshark", "-r", capture, "-Y", protocol, "-T", "fields", "-E", "separator=|", "-E", "occurrence=f"]
    for field in ("frame.time_epoch", *fields):
        command += ["-e", field]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for line in run.stdout.splitlines():
        at, *rest = line.split("|")
        seconds, _, fraction = at.partition(".")
        yield int(seconds) * 1_000_000 + int(fraction[:6].ljust(6, "0")), *rest


def records(capture, kind):
    run = subprocess.run([augprobe, "replay", "-q", "--json", "-", capture], check=True, stdout=subprocess.PIPE)
    all_records = [json.loads(line) for line in run.stdout.splitlines()]
    return sorted((r for r in all_records if r["record"] == kind), key=lambda r: r["transactionStartMicroseconds"])


def sip_transactions(capture):
    out = {}
    for at, call, sequence, via, method, status, own in tshark(
            capture, "sip", "sip.Call-ID", "sip.CSeq", "sip.Via", "sip.Method", "sip.Status-Code", "sip.response-time"):
        number, _, asked = sequence.partition(" ")
        if asked == "ACK":
            (t,) = [t for (c, n, a, _), t in out.items() if (c, n, a) == (call, number, "INVITE")]
            t.setdefault("ack", at)
            continue
        t = out.setdefault((call, number, asked, via), {"start": at, "requests": 0, "provisional": 0})
        if method:
            t["requests"] += "final" not in t
        elif int(status) < 200:
            t["provisional"] += 1
            if int(status) > 100:
                t.setdefault("ringing", at)
        elif "final" not in t:
            # What was cancelled it times from the CANCEL, which has the same Call-ID and number.
            t.update(final=at, status=int(status), own=int(own) * 1000 if own and status != "487" else None)
    return out


def sip(capture, compare):
    expected = sip_transactions(capture)
    found = {(r["sipCallId"], str(r["sipCSeq"]), r["sipCommand"], r["sipVia"]): r for r in records(capture, "sip")}
    compare("transactions", sorted(expected), sorted(found))
    for key in expected.keys() & found.keys():
        t, r = expected[key], found[key]
        compare(f"{key} requests", t["requests"], r["sipRequestCount"])
        compare(f"{key} provisional", t["provisional"], r.get("sipProvisionalCount", 0))
        compare(f"{key} status", t["status"], r["sipStatusCode"])
        for what, origin, name, off in (("ringing", "start", "sipRingingTimeMicroseconds", ROUNDING_US),
                                        ("final", "start", "timeToLastByteMicroseconds", ROUNDING_US),
                                        ("ack", "final", "sipAckTimeMicroseconds", ROUNDING_US)):
            compare(f"{key} {name}", t[what] - t[origin] if what in t else None, r.get(name), off)
        if t["own"] is not None:
            compare(f"{key} sip.response-time", t["own"], r["timeToLastByteMicroseconds"], TSHARK_US)


def rtsp(capture, compare):
    expected, waiting = [], {}
    for at, stream, method, url, status in tshark(capture, "rtsp", "tcp.stream", "rtsp.method", "rtsp.url", "rtsp.status"):
        if method:
            waiting[stream] = [method, url, at]
        elif status:
            asked = waiting.pop(stream)
            expected.append((asked[0], asked[1], int(status), at - asked[2]))
    found = records(capture, "rtsp")
    compare("transactions", [e[:3] for e in expected], [(r["rtspCommand"], r["rtspURL"], r["rtspReturnCode"]) for r in found])
    for e, r in zip(expected, found):
        compare(f"{e[:3]} time", e[3], r["responseTimeMicroseconds"], ROUNDING_US)


def media(capture, compare):
    """Streams of RTP are tied to the call or session that announced them, and to the flow in which it did."""
    announced = {(r["sipCallId"], r["flowId"]) for r in records(capture, "sip")}
    announced |= {(r["rtspSession"], r["flowId"]) for r in records(capture, "rtsp") if "rtspSession" in r}
    streams = records(capture, "rtp")
    for r in streams:
        compare(f"RTP from port {r['sourceTransportPort']} is announced", True,
                (r.get("rtpCallId"), r.get("rtpSignallingFlowId")) in announced)
    return len(streams)


def main():
    streams = 0
    checks, wrong = 0, 0
    for protocol, judge in (("sip", sip), ("rtsp", rtsp)):
        for capture in sorted(pcaps.glob(f"{protocol}_*.pcap")):
            def compare(what, expected, got, tolerance=0):
                nonlocal checks, wrong
                checks += 1
                good = expected == got or (tolerance and None not in (expected, got) and abs(expected - got) <= tolerance)
                wrong += not good
                if not good:
                    print(f"{capture.name}: {what}: tshark says {expected}, the probe {got}")
            judge(capture, compare)
            streams += media(capture, compare)
    print(f"{checks} checks, {wrong} disagree; {streams} streams of RTP")
    sys.exit(1 if wrong or not checks or not streams else 0)


main()
