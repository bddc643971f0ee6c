"""What ICMP says of paths: a router behind the wire, with a narrow link behind it. The router is namespace b."""
import os
import subprocess
import sys

from capture import capture

BEHIND, MTU = "10.98.0.2", 1300  # a host behind the router, and the link to it
NOBODY = "10.98.0.77"

CLIENT = r"""
import socket, struct, sys, time

def ping(host, count, wait=1.0):
    "As ping(8): one request after the other, all with one identifier."
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    s.settimeout(wait)
    for number in range(count):
        body = struct.pack("!HH", 4711, number) + bytes(range(48))
        message = struct.pack("!BBH", 8, 0, 0) + body
        total = sum(struct.unpack(f"!{len(message) // 2}H", message))
        total = (total & 0xffff) + (total >> 16)
        s.sendto(struct.pack("!BBH", 8, 0, ~(total + (total >> 16)) & 0xffff) + body, (host, 0))
        try:
            while True:
                answer = s.recv(2000)[20:]
                if answer[0] == 0 and answer[4:8] == body[:4]:
                    break
        except TimeoutError:
            pass
        time.sleep(0.05)

def send(host, port, octets, ttl=64, dont_fragment=False, times=1):
    for _ in range(times):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("10.99.0.1", 40000 + port % 10000))
        s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        s.setsockopt(socket.IPPROTO_IP, 10, 3 if dont_fragment else 0)  # IP_MTU_DISCOVER: PROBE or DONT
        s.sendto(bytes(octets), (host, port))
        s.close()
        time.sleep(0.1)

def upload(host, octets):
    s = socket.create_connection((host, 80), timeout=60)
    s.sendall(b"small first")
    s.recv(1)
    s.sendall(bytes(octets))
    s.shutdown(socket.SHUT_WR)
    while s.recv(100):
        pass

for call in sys.argv[1:]:
    eval(call)
"""

SERVER = r"""
import socket
with socket.create_server(("0.0.0.0", 80)) as listening:
    while True:
        s = listening.accept()[0]
        s.recv(100)
        s.sendall(b"1")
        while s.recv(65536):
            pass
        s.close()
"""


def run(world, *calls, quiet=False):
    """Builds the network behind b, then lets the client make these calls."""
    host = world.b + "h"
    subprocess.run(["ip", "netns", "add", host], check=True)
    world.namespaces.append(host)
    router = ["ip", "-n", world.b]
    for command in (router + ["link", "add", "narrow", "type", "veth", "peer", "name", "eth0", "netns", host],
                    router + ["address", "add", "10.98.0.1/24", "dev", "narrow"],
                    router + ["link", "set", "narrow", "up", "mtu", str(MTU)],
                    ["ip", "-n", host, "address", "add", f"{BEHIND}/24", "dev", "eth0"],
                    ["ip", "-n", host, "link", "set", "eth0", "up"],  # its own MTU is 1500: it announces a large MSS
                    ["ip", "-n", host, "route", "add", "default", "via", "10.98.0.1"],
                    ["ip", "-n", world.a, "route", "add", "10.98.0.0/24", "via", "10.99.0.2"]):
        subprocess.run(command, check=True)
    for key, value in (("ip_forward", 1), ("icmp_ratelimit", 0)):
        world.run(world.b, ["sysctl", "-qw", f"net.ipv4.{key}={value}"])
    if quiet:  # no ICMP of the router's own
        subprocess.run(router + ["rule", "add", "iif", "lo", "ipproto", "icmp", "blackhole"], check=True)
    world.spawn(host, [sys.executable, "-c", SERVER])
    world.client([sys.executable, "-c", "import time; time.sleep(0.5)"])
    world.client([sys.executable, "-c", CLIENT, *calls])
    return {"server": {}, "client": {}, "software": [f"Linux {os.uname().release}", f"Python {sys.version.split()[0]}"]}


@capture("""Pings (with loss on the way to the host), and ICMP errors about UDP: closed port, TTL that ends at the router, a host that is not there, packets too
         big for the next link.""", server_up="loss=15%", seed=5)
def icmp_errors(world):
    return run(world, "ping('10.99.0.2', 20)", "send('10.99.0.2', 9, 100, times=3)",
               f"send('{BEHIND}', 33434, 60, ttl=1, times=3)", f"send('{NOBODY}', 5004, 100, times=2)", "time.sleep(4)",
               f"send('{BEHIND}', 5006, 1400, dont_fragment=True, times=2)",
               f"ping('{BEHIND}', 5)")


@capture("""A TCP upload that meets a link with an MTU of 1300: the router says so, and the sender takes smaller segments.""")
def path_mtu(world):
    return run(world, f"upload('{BEHIND}', 20000)")


@capture("""The same without the router's word: large segments vanish until the sender tries smaller ones by itself (RFC 4821).""",
         sysctl=(("net.ipv4.tcp_mtu_probing", 1),))
def path_black_hole(world):
    return run(world, f"upload('{BEHIND}', 20000)", quiet=True)
