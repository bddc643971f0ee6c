"""HTTP as it should be: every kind of message, no fault on the wire."""
import gzip
import os
import subprocess
import sys

import curl
from capture import HERE, capture
from kit.servers import Nginx
from kit.world import SERVER6

CLIENTS = os.path.join(HERE, "clients.py")
LOCATIONS = """
    gzip on; gzip_min_length 100; gzip_http_version 1.0; gzip_types text/plain application/json;
    location = /old { return 301 /a.html; }
    location = /form { return 200 "thank you\\n"; }
    location = /broken { return 500; }
    location = /silent { return 444; }
    location = /empty { return 204; }
    location ~ ^/(slow|chunks|chat) {
      proxy_pass http://127.0.0.1:8001; proxy_http_version 1.1; proxy_buffering off;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $http_connection;
    }
"""
TEXT = "".join(f"line {i} of a text that compresses well\n" for i in range(200))
USER = ["-A", "Mozilla/5.0 (X11; Linux x86_64) Lab/1.0", "-e", "http://search.example/?q=probe",
        "-H", "X-Forwarded-For: 198.51.100.7, 203.0.113.9"]


def serve(world, upstream=False):
    if upstream:
        world.serve([sys.executable, CLIENTS, "upstream"], 8001, stderr=subprocess.DEVNULL)
    nginx = Nginx(world, LOCATIONS)
    nginx.file("a.html", "<html><body>a small page</body></html>\n")
    nginx.file("b.html", "<html>" + "b" * 5000 + "</html>\n")
    nginx.file("c.txt", "c" * 90 + "\n")
    nginx.file("text.txt", TEXT)
    nginx.file("large.bin", os.urandom(120_000))
    nginx.file("page.json", gzip.compress(TEXT.encode()))
    return nginx


def said(nginx, client, *more):
    return {"server": {"http": nginx.log()}, "client": {"curl": client}, "software": [Nginx.version(), curl.version(), *more]}


def raw(world, *arguments):
    return world.client([sys.executable, CLIENTS, *arguments])


PYTHON = f"Python {sys.version.split()[0]}"


@capture("""HTTP/1.1 keep-alive: GET, POST, HEAD, PUT, DELETE and OPTIONS with 200, 204, 301 and its target, 304, 404, 405
         and 500 on one connection, then the same page on a second one; User-Agent, Referer and X-Forwarded-For.""")
def http_keepalive(world):
    nginx = serve(world)
    tag = world.client(["curl", "-sI", "http://10.99.0.2/a.html"])
    etag = next(line.split(": ")[1] for line in tag.splitlines() if line.lower().startswith("etag"))
    client = curl.curl(world, [*USER, "/a.html"], ["-d", "name=lab&n=1", "/form"], ["-I", "/b.html"],
                       ["-L", *USER, "/old"], ["-H", f"If-None-Match: {etag}", "/a.html"], "/no/such?page=1&x=%20y",
                       "/broken", "/empty", ["-X", "PUT", "-d", "x=1", "/a.html"], ["-X", "DELETE", "/a.html"],
                       ["-X", "OPTIONS", "/"], "/b.html")
    client += curl.curl(world, [*USER, "/a.html"])
    return said(nginx, client)


@capture("""HTTP bodies of every framing: Content-Length, chunked (gzip on the fly, and from an upstream in four parts),
         206 ranges (one and multipart), a 120 kB download, uploads with Content-Length after 100 (Continue) and chunked,
         HTTP/1.0 with Content-Length and delimited by the end of the connection.""")
def http_bodies(world):
    nginx = serve(world, upstream=True)
    upload = world.path("upload.bin")
    with open(upload, "wb") as out:
        out.write(os.urandom(20_000))
    client = curl.curl(world, "/text.txt", ["--compressed", "/text.txt"], "/chunks?n=4&gap=30&size=100",
                       ["-r", "100-299", "/text.txt"], ["-r", "0-9,50-59", "/text.txt"], "/large.bin",
                       ["-H", "Expect: 100-continue", "--data-binary", f"@{upload}", "/slow?post"],
                       ["-H", "Transfer-Encoding: chunked", "--data-binary", f"@{upload}", "/slow?chunked"], "/c.txt")
    client += curl.curl(world, ["-0", "/b.html"])
    client += curl.curl(world, ["-0", "--compressed", "/text.txt"])
    return said(nginx, client, f"{PYTHON} (upstream)")


@capture("""Pipelining (RFC 9112 §9.3.2): five requests in one segment, one of them HEAD and one answered late by an upstream, then
         three more, one with a body, cut every 61 octets without regard to their borders.""")
def http_pipelining(world):
    nginx = serve(world, upstream=True)
    raw(world, "pipelining")
    return said(nginx, [], f"{PYTHON} (client, upstream)")


@capture("""Connections that stop being HTTP: a websocket handshake (101) through nginx with a frame each way, and a CONNECT tunnel
         that carries octets which look like HTTP (a small Python proxy, as nginx has no CONNECT).""")
def http_tunnels(world):
    nginx = serve(world, upstream=True)
    client = curl.curl(world, "/a.html")
    raw(world, "websocket")
    raw(world, "connect_tunnel")
    return said(nginx, client, f"{PYTHON} (client, upstream, CONNECT proxy)")


@capture("""Slow answers: an upstream behind nginx thinks for 200, 50 and 120 ms before the first octet; one streams five
         chunks 60 ms apart, so that its first octet is early and its last one late.""", delay_ms=(8, 3))
def http_slow_backend(world):
    nginx = serve(world, upstream=True)
    client = curl.curl(world, [*USER, "/slow?ms=200"], "/slow?ms=50", "/a.html", "/chunks?n=5&gap=60", "/slow?ms=120")
    return said(nginx, client, f"{PYTHON} (upstream)")


@capture("HTTP over IPv6: keep-alive GET, POST and 404.", ipv6=True)
def http_ipv6(world):
    nginx = serve(world)
    client = curl.curl(world, "/b.html", ["-d", "x=1", "/form"], "/missing", host=f"[{SERVER6}]")
    return said(nginx, client)
