"""HTTP/3 over QUIC: the server and the client of ngtcp2, which writes what it measured as qlog."""
import glob
import json
import os
import subprocess
import sys
import time

from capture import HERE, capture
from kit.servers import Ngtcp2


def fetch(world, *names, session=False, host="10.99.0.2", paths=1):
    """One connection over so many paths; the names of the files that it fetches. Says what the client's qlog tells of it."""
    logs = world.path("qlog")
    os.makedirs(logs, exist_ok=True)
    before = set(glob.glob(f"{logs}/*"))
    remember = [f"--session-file={world.path('session')}", f"--tp-file={world.path('parameters')}"] if session else []
    world.client(["gtlsclient", "-q", f"--qlog-dir={logs}", "--exit-on-all-streams-close", "--timeout=10s", *remember,
                  host, str(Ngtcp2.PORT), *[f"https://{host}:{Ngtcp2.PORT}/{name}" for name in names]], check=False)
    (log,) = set(glob.glob(f"{logs}/*")) - before
    with open(log) as lines:
        head, *events = [json.loads(line.lstrip("\x1e")) for line in lines]
    sent = [e["data"]["header"]["packet_type"] for e in events if e["name"] == "transport:packet_sent"]
    got = [e["data"]["header"]["packet_type"] for e in events if e["name"] == "transport:packet_received"]
    measured = [e["data"]["min_rtt"] for e in events if "min_rtt" in e["data"]]
    return {"original_id": head["trace"]["common_fields"]["group_id"], "min_rtt_ms": min(measured), "retry": "retry" in got,
            "zero_rtt": "0RTT" in sent, "paths": paths}


def said(*connections):
    version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "ngtcp2-server"], capture_output=True, text=True).stdout
    return {"server": {}, "client": {"quic": list(connections)}, "software": [f"ngtcp2 {version.split('+')[0]}"]}


@capture("""HTTP/3 over QUIC version 1: a connection with one small file, one with a larger and a small one, one that is resumed and
         sends its request in 0-RTT packets.""")
def quic_http3(world):
    server = Ngtcp2(world)
    server.file("small", 500)
    server.file("large", 60_000)
    return said(fetch(world, "small"), fetch(world, "large", "small", session=True), fetch(world, "small", session=True))


@capture("""QUIC whose server validates addresses: each connection begins with a Retry.""")
def quic_retry(world):
    server = Ngtcp2(world, "--validate-addr")
    server.file("small", 500)
    return said(fetch(world, "small"), fetch(world, "small"))


@capture("""QUIC whose first Initial is lost, after the tap in the first connection and before it in the second; and whose server's first
         flight is lost before the tap in the third.""",
         rules=("link=b,dir=a2b,match=udp,flow=1,nth=1", "link=a,dir=a2b,match=udp,flow=2,nth=1",
                "link=b,dir=b2a,match=udp,flow=3,nth=1,last=3"))
def quic_loss(world):
    server = Ngtcp2(world)
    server.file("small", 500)
    return said(*[fetch(world, "small") for _ in range(3)])


@capture("""QUIC through a NAT that gives the client another port while a file is on its way: the connection goes on with the same
         connection IDs.""")
def quic_rebinding(world):
    server = Ngtcp2(world)
    server.file("large", 100_000)
    world.spawn(world.a, [sys.executable, os.path.join(HERE, "clients.py"), "forgetful_nat", Ngtcp2.PORT, 8])
    time.sleep(0.5)
    return said(fetch(world, "large", host="127.0.0.1", paths=2))
