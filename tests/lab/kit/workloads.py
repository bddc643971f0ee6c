"""What the two ends of a connection say to each other in a cell of the matrix. Both ends run this file; each function drives one
connected socket and returns when its side is done. `number` counts the connections of a cell from 0."""
import random
import socket
import struct
import time

REPAIR = 19  # TCP_REPAIR of linux/tcp.h: a socket that is closed in it says nothing
CHUNK = 65536


class Workload:
    """One way of talking. `up` and `down`: payload octets of each connection, as far as nothing cuts it short."""
    connections = 4
    up, down = 40_000, 200_000
    sysctl = ()  # of both namespaces
    wire = ()    # options of the wire
    ends_by_reset = False
    simultaneous = fast_open = False

    def prepare(self, listener):
        """Options of the server's listening socket."""

    def client(self, s, number):
        send(s, self.up)
        receive(s, self.down)

    def server(self, s, number):
        receive(s, self.up)
        send(s, self.down)


def send(s, octets):
    s.sendall(bytes(octets))


def receive(s, octets, most=CHUNK):
    while octets > 0:
        got = len(s.recv(min(octets, most)))
        if got == 0:
            raise ConnectionError("the other side ended early")
        octets -= got


class Bulk(Workload):
    pass


class Offload(Workload):
    """Segments of up to 64 KiB, as a capture on a host with TSO and GRO shows them."""
    wire = ("--offload",)
    up, down = 150_000, 500_000


class SmallWrites(Workload):
    """Both sides write a little, often, and at the same time, without Nagle's delay."""
    writes = 60

    def __init__(self):
        chance = random.Random(4)
        self.sizes = [chance.randint(1, 400) for _ in range(self.writes)]
        self.pauses = [chance.choice((0, 0, 0.001, 0.004)) for _ in range(self.writes)]
        self.up = self.down = sum(self.sizes)

    def both(self, s, number):
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for size, pause in zip(self.sizes, self.pauses):
            send(s, size)
            time.sleep(pause)
        receive(s, self.up)

    client = server = both


class ZeroWindow(Workload):
    """The server takes nothing for a second, then a little at a time, then all."""
    up, down = 120_000, 2000
    connections = 3

    def prepare(self, listener):
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)

    def server(self, s, number):
        time.sleep(1.0)
        slowly = 20
        for _ in range(slowly):
            receive(s, 1000)
            time.sleep(0.01)
        receive(s, self.up - 1000 * slowly)
        send(s, self.down)


class KeepAlive(Workload):
    """Idle for long enough that the client probes every second."""
    up, down = 4000, 4000

    def client(self, s, number):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
        for _ in range(2):
            send(s, self.up // 2)
            receive(s, self.down // 2)
            time.sleep(2.4)

    def server(self, s, number):
        for _ in range(2):
            receive(s, self.up // 2)
            send(s, self.down // 2)


def reset(s):
    """close() then sends RST."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Reset(Workload):
    """One side has enough in the middle of the download: the client, of every second connection the server."""
    ends_by_reset = True

    def client(self, s, number):
        send(s, self.up)
        receive(s, self.down // 4 if number % 2 == 0 else self.down)
        reset(s)

    def server(self, s, number):
        receive(s, self.up)
        send(s, self.down // (2 if number % 2 else 1))
        if number % 2:
            reset(s)
        else:
            receive(s, 1)


class HalfOpen(Workload):
    """The server vanishes without a word; the client notices when it says something more, by the RST of a stranger."""
    ends_by_reset = True
    up, down = 5000, 3000

    def client(self, s, number):
        send(s, self.up - 1000)
        receive(s, self.down)
        time.sleep(0.5)
        send(s, 1000)
        receive(s, 1)

    def server(self, s, number):
        receive(s, self.up - 1000)
        send(s, self.down)
        time.sleep(0.3)
        s.setsockopt(socket.IPPROTO_TCP, REPAIR, 1)


class Simultaneous(Workload):
    """Both sides connect to each other at the same moment (RFC 9293 §3.5, figure 7)."""
    simultaneous = True
    up, down = 5000, 8000


class Congestion(Workload):
    """RFC 3168: queues mark instead of dropping. The marks are given by chance."""
    sysctl = (("net.ipv4.tcp_ecn", 1),)
    marks = "3%"


class FastOpen(Workload):
    """RFC 7413: the first connection gets a cookie, the others send their request with the SYN."""
    fast_open = True
    sysctl = (("net.ipv4.tcp_fastopen", 3),)
    up, down = 3000, 30_000

    def prepare(self, listener):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)

    def client(self, s, number):
        receive(s, self.down)


WORKLOADS = {"bulk": Bulk(), "tso": Offload(), "small_writes": SmallWrites(), "zero_window": ZeroWindow(),
             "keep_alive": KeepAlive(), "rst": Reset(), "half_open": HalfOpen(), "simultaneous_open": Simultaneous(),
             "ecn": Congestion(), "tfo": FastOpen()}
