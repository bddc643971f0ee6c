#!/usr/bin/env python3
"""Clients and servers for what curl and nginx do not do. Run inside a namespace: clients.py NAME ARGUMENT…"""
import select
import socket
import struct
import sys
import time

HTTP = ("10.99.0.2", 80)
HOST = "Host: www.shop.example\r\n"


def connect(address=HTTP, receive_buffer=None):
    s = socket.socket()
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if receive_buffer:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    s.settimeout(20)
    s.connect(address)
    return s


def drain(s):
    got = 0
    while data := s.recv(65536):
        got += len(data)
    return got


def pipelining():
    """Five requests in one segment; then three whose borders fall in the middle of segments; then close."""
    s = connect()
    get = lambda target, more="": f"GET {target} HTTP/1.1\r\n{HOST}{more}\r\n"  # noqa: E731
    s.sendall("".join([get("/a.html"), get("/missing"), f"HEAD /b.html HTTP/1.1\r\n{HOST}\r\n", get("/slow?ms=80"),
                       get("/c.txt")]).encode())
    time.sleep(0.4)
    text = (get("/a.html") + f"POST /form HTTP/1.1\r\n{HOST}Content-Length: 11\r\n\r\nhello=world"
            + get("/c.txt", "Connection: close\r\n")).encode()
    for at in range(0, len(text), 61):
        s.sendall(text[at:at + 61])
        time.sleep(0.02)
    print(drain(s))


def slow_reader(target, receive_buffer, pauses):
    """Reads nothing for a while, so that its window closes."""
    s = connect(receive_buffer=int(receive_buffer))
    s.sendall(f"GET {target} HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n".encode())
    for _ in range(int(pauses)):
        time.sleep(0.7)
        s.recv(16384)
    print(drain(s))


def resets():
    """Aborts in the middle of a response, in the middle of a request head, and in the middle of a request body."""
    for text, wait in ((f"GET /large.bin HTTP/1.1\r\n{HOST}\r\n", True), (f"GET /a.html HTTP/1.1\r\n{HOST}X-Half: ", False),
                       (f"POST /slow HTTP/1.1\r\n{HOST}Content-Length: 5000\r\n\r\nhalf", False)):
        s = connect(receive_buffer=16384)
        s.sendall(text.encode())
        if wait:
            s.recv(4096)
        time.sleep(0.05)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close sends RST
        s.close()


def websocket():
    """RFC 6455 handshake, one masked text frame each way, close."""
    s = connect()
    s.sendall(f"GET /chat HTTP/1.1\r\n{HOST}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
    s.recv(4096)
    s.sendall(bytes([0x81, 0x85, 1, 2, 3, 4]) + bytes(b ^ k for b, k in zip(b"hello", (1, 2, 3, 4, 1))))
    s.recv(4096)
    s.sendall(bytes([0x88, 0x80, 0, 0, 0, 0]))
    print(drain(s))


def connect_tunnel():
    """CONNECT, then octets that are no HTTP although they look like it."""
    s = connect(("10.99.0.2", 8080))
    s.sendall(b"CONNECT db.shop.example:9999 HTTP/1.1\r\nHost: db.shop.example:9999\r\n\r\n")
    s.recv(4096)
    for _ in range(3):
        s.sendall(b"GET /inside HTTP/1.1\r\n\r\n")
        s.recv(4096)
    s.close()


def upstream():
    """Behind nginx on loopback: answers late, in chunks, or as a websocket."""
    import threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
    from urllib.parse import parse_qs, urlsplit

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def chunk(self, data):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()

        def do_GET(self):
            url = urlsplit(self.path)
            number = lambda key, default: int(parse_qs(url.query).get(key, [default])[0])  # noqa: E731
            if self.headers.get("Upgrade") == "websocket":
                return self.websocket()
            time.sleep(number("ms", 0) / 1000)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            if url.path == "/chunks":
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for i in range(number("n", 3)):
                    self.chunk(b"{\"part\": %d}\n" % i * number("size", 20))
                    time.sleep(number("gap", 50) / 1000)
                self.wfile.write(b"0\r\n\r\n")
            else:
                body = b"{\"answer\": 42}\n"
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def websocket(self):
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
            self.end_headers()
            self.rfile.read(11)
            self.wfile.write(b"\x81\x05hello")
            self.rfile.read(6)
            self.wfile.write(b"\x88\x00")
            self.close_connection = True

        def log_message(self, *_):
            pass

    def tunnel(c):
        """A CONNECT proxy whose far end is an echo: nginx has no CONNECT."""
        while b"\r\n\r\n" not in c.recv(4096, socket.MSG_PEEK):
            time.sleep(0.01)
        c.recv(4096)
        c.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        while data := c.recv(4096):
            c.sendall(data)
        c.close()

    def proxy():
        listener = socket.create_server(("10.99.0.2", 8080))
        while True:
            threading.Thread(target=tunnel, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=proxy, daemon=True).start()
    ThreadingHTTPServer(("127.0.0.1", 8001), Handler).serve_forever()


def forgetful_nat(port, datagrams):
    """Takes what comes to this port of the loopback to the same port of the server, and back. After so many datagrams of the client it
    goes on from another port, as a NAT that has forgotten the flow does."""
    inside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    inside.bind(("127.0.0.1", int(port)))
    client, left = None, int(datagrams)
    outside = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
    for s in outside:
        s.connect((HTTP[0], int(port)))
    while True:
        for s in select.select([inside, *outside], [], [])[0]:
            data, sender = s.recvfrom(65536)
            if s is not inside:
                inside.sendto(data, client)
                continue
            client, left = sender, left - 1
            outside[left < 0].send(data)


if __name__ == "__main__":
    {f.__name__: f for f in (pipelining, slow_reader, resets, websocket, connect_tunnel, upstream, forgetful_nat)}[sys.argv[1]](*sys.argv[2:])
