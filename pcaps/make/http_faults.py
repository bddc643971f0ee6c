"""HTTP across a wire with one kind of fault at a time."""
import os

import curl
from capture import capture
from http_plain import PYTHON, raw, said, serve
from kit import pcapfile

PAGE = 40_000  # octets: enough segments for fast recovery, few enough to commit


def download(world, connections, page=PAGE):
    nginx = serve(world)
    nginx.file("page.bin", os.urandom(page))
    client = []
    for _ in range(connections):
        client += curl.curl(world, "/page.bin")
    return said(nginx, client)


@capture("Downloads with 5 % loss on the server's side of the tap, that is before it: each lost segment is a hole until its "
         "retransmission comes.", server_down="loss=5%", seed=3)
def http_loss_before(world):
    return download(world, 5)


@capture("Downloads with 5 % loss on the client's side of the tap, that is after it: each lost segment is seen twice.",
         client_down="loss=5%", seed=4)
def http_loss_after(world):
    return download(world, 5)


@capture("Downloads and an upload with 3 % loss on both sides of the tap and in both directions, acknowledgements and handshakes "
         "included.", client_up="loss=3%", client_down="loss=3%", server_up="loss=3%", server_down="loss=3%", seed=7)
def http_loss_both(world):
    nginx = serve(world, upstream=True)
    nginx.file("page.bin", os.urandom(30_000))
    upload = world.path("upload.bin")
    with open(upload, "wb") as out:
        out.write(os.urandom(30_000))
    client = []
    for _ in range(2):
        client += curl.curl(world, "/page.bin", "/a.html", ["--data-binary", f"@{upload}", "-H", "Expect:", "/slow?ms=20"])
    client += curl.curl(world, *["/a.html"] * 12)
    return said(nginx, client, f"{PYTHON} (upstream)")


@capture("Loss on both sides without TCP timestamps and SACK: classes must come from sequence numbers and time alone.",
         client_down="loss=3%", server_down="loss=3%", seed=5,
         sysctl=(("net.ipv4.tcp_timestamps", 0), ("net.ipv4.tcp_sack", 0)))
def http_loss_bare(world):
    return download(world, 4)


@capture("Uploads with loss before the tap on the client's side (4 %) and after it on the server's side (4 %).",
         client_up="loss=4%", server_up="loss=4%", seed=6)
def http_loss_upload(world):
    nginx = serve(world, upstream=True)
    upload = world.path("upload.bin")
    with open(upload, "wb") as out:
        out.write(os.urandom(PAGE))
    client = []
    for _ in range(4):
        client += curl.curl(world, ["--data-binary", f"@{upload}", "-H", "Expect:", "/slow?ms=20"])
    return said(nginx, client, f"{PYTHON} (upstream)")


@capture("Reordering without loss: 4 % of the server's segments are held back 2 ms before the tap, and 4 % after it; the senders "
         "may answer with unneeded retransmissions.", server_down="reorder=4%:2ms", client_down="reorder=4%:2ms", seed=8)
def http_reorder(world):
    return download(world, 5)


@capture("Duplication by the network, before the tap (seen twice, no retransmission) and after it (not seen).",
         server_down="dup=6%", client_down="dup=6%", server_up="dup=6%", seed=9)
def http_duplicate(world):
    return download(world, 4)


@capture("""Handshakes under loss, one fault a connection: the ACK lost before the tap, the SYN lost before, the SYN lost after,
         the SYN-ACK lost before, the SYN-ACK lost after, and a last one without fault.""",
         rules=("link=a,dir=a2b,match=ack,flow=1,nth=1", "link=a,dir=a2b,match=syn,flow=2,nth=1",
                "link=b,dir=a2b,match=syn,flow=3,nth=1", "link=b,dir=b2a,match=synack,flow=4,nth=1",
                "link=a,dir=b2a,match=synack,flow=5,nth=1"))
def http_handshake_loss(world):
    nginx = serve(world)
    client = []
    for _ in range(6):
        client += curl.curl(world, "/a.html")
    return said(nginx, client)


# 10 segments of 1448 octets hold the response's header and 14 000 octets of body.
TAIL = 10


@capture("""Tail loss: the last segment of a response lost before the tap (its repeat looks new), the last one lost after the tap, and
         a FIN of the client lost before and one after.""",
         rules=(f"link=b,dir=b2a,match=data,flow=1,nth={TAIL}", f"link=a,dir=b2a,match=data,flow=2,nth={TAIL}",
                "link=a,dir=a2b,match=fin,flow=3,nth=1", "link=b,dir=a2b,match=fin,flow=4,nth=1"))
def http_tail_loss(world):
    return download(world, 5, page=14_000)


@capture("A client that reads slowly: its window closes for 0.7 s at a time and the server probes it.")
def http_zero_window(world):
    nginx = serve(world)
    nginx.file("page.bin", os.urandom(90_000))
    raw(world, "slow_reader", "/page.bin", "8192", "3")
    raw(world, "slow_reader", "/page.bin", "16384", "2")
    return said(nginx, [], f"{PYTHON} (client)")


@capture("""Ends that are none: a port where nobody listens, a server that closes without an answer (nginx 444), a client that gives up waiting
         (499), and clients that reset in the middle of a response, of a request's head and of its body; one good request at last.""")
def http_resets(world):
    nginx = serve(world, upstream=True)
    world.client(["curl", "-sS", "-o", "/dev/null", "http://10.99.0.2:81/nobody"], check=False)
    client = curl.curl(world, "/silent", check=False)
    client += curl.curl(world, ["--max-time", "0.2", "/slow?ms=400"], check=False)
    raw(world, "resets")
    client += curl.curl(world, "/a.html")
    return said(nginx, client, f"{PYTHON} (client, upstream)")


def from_the_middle(frames):
    """Without the first 40 %: the capture begins inside connections."""
    return frames[len(frames) * 2 // 5:]


@capture("A capture that begins in the middle of a keep-alive connection, in the middle of a response; a second connection is whole.",
         keep=from_the_middle)
def http_midstream(world):
    nginx = serve(world)
    client = curl.curl(world, "/a.html", "/b.html", "/large.bin", "/c.txt", "/missing", "/a.html")
    client += curl.curl(world, "/b.html")
    return said(nginx, client)


def with_holes(frames):
    """As an overloaded probe would: some frames that were on the wire are not in the file."""
    down = [f for f in frames if next(pcapfile.segments([f])).source_port == 80]
    data = [f for f in down if len(f.data) > 1000]
    acks = [f for f in frames if len(f.data) <= 66 and f not in down]
    lost = {f.time for f in data[5:7] + data[20:21] + data[60:63] + acks[10:14]}
    return [f for f in frames if f.time not in lost]


@capture("The probe itself missed frames (they are cut out of the file): acknowledged but never seen and never repeated, which is "
         "neither loss before nor loss after.", keep=with_holes)
def http_capture_loss(world):
    nginx = serve(world)
    client = curl.curl(world, "/a.html", "/large.bin", "/c.txt", "/missing")
    client += curl.curl(world, "/b.html", "/a.html")
    return said(nginx, client)
