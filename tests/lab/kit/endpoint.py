#!/usr/bin/env python3
"""One end of a cell's connections; runs in a namespace of its own. The last line that it prints is a JSON list: what the kernel
says of each connection when nothing is under way any more.

Usage: endpoint.py client|server WORKLOAD START [6]   (START: wall clock, seconds; when both sides begin a simultaneous open; 6: IPv6)
"""
import json
import os
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from tcp_info import CLOSED, tcp_info  # noqa: E402  (found through the line above)
from workloads import WORKLOADS  # noqa: E402

V6 = sys.argv[4:] == ["6"]
CLIENT, SERVER = ("fd99::1", "fd99::2") if V6 else ("10.99.0.1", "10.99.0.2")
PORT = 7000
PATIENCE = 25.0
ATTEMPTS, APART = 5, 1.0  # of simultaneous opens that do not meet

REPORT, LOCK = [], threading.Lock()


def name(pair):
    return f"[{pair[0]}]:{pair[1]}" if V6 else f"{pair[0]}:{pair[1]}"


def new_socket():
    return socket.socket(socket.AF_INET6 if V6 else socket.AF_INET)


def settle(s):
    """Ends our side and waits until the connection is over, so that the kernel's counts are final."""
    end = time.monotonic() + PATIENCE
    try:
        s.shutdown(socket.SHUT_WR)
        while s.recv(65536):
            pass
    except OSError:
        pass
    while tcp_info(s)["state"] != CLOSED and time.monotonic() < end:
        time.sleep(0.01)


def drive(s, role, workload, number, local, remote):
    """Whether it went as the workload is meant to go. What has no peer any more is closed as the workload left it."""
    what = "ended"
    linger = False
    try:
        s.settimeout(PATIENCE)
        getattr(workload, role)(s, number)
        linger = s.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)[0] != 0
    except OSError as error:
        what = type(error).__name__
    repair = workload.ends_by_reset and s.getsockopt(socket.IPPROTO_TCP, 19) == 1
    if not (linger or repair):
        settle(s)
    info = tcp_info(s)
    s.close()
    with LOCK:
        REPORT.append({"role": role, "local": local, "remote": remote, "number": number, "what": what,
                       "cut": linger or repair, "info": info})
    return what == "ended"


def serve(workload):
    listener = new_socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    workload.prepare(listener)
    listener.bind((SERVER, PORT))
    listener.listen(64)
    listener.settimeout(PATIENCE)
    threads = []
    for _ in range(workload.connections):
        s, peer = listener.accept()
        number = int(peer[1]) - 40000
        threads.append(threading.Thread(target=drive, args=(s, "server", workload, number, name((SERVER, PORT)), name(peer))))
        threads[-1].start()
    return threads


def connect(workload, number):
    s = new_socket()
    s.settimeout(PATIENCE)
    s.bind((CLIENT, 40000 + number))
    if workload.fast_open:
        s.settimeout(None)  # the call connects, and would not wait for that
        sent = s.sendto(bytes(workload.up), socket.MSG_FASTOPEN, (SERVER, PORT))
        s.settimeout(PATIENCE)
        s.sendall(bytes(workload.up - sent))
    else:
        s.connect((SERVER, PORT))
    drive(s, "client", workload, number, name((CLIENT, 40000 + number)), name((SERVER, PORT)))


def ask(workload):
    numbers = list(range(workload.connections))
    if workload.fast_open:
        connect(workload, numbers.pop(0))
    return start([(connect, (workload, number)) for number in numbers])


def start(calls):
    threads = [threading.Thread(target=function, args=arguments) for function, arguments in calls]
    for thread in threads:
        thread.start()
        time.sleep(0.002)
    return threads


def meet(role, workload, number, begin):
    """Both sides leave at the same moment. A SYN that comes before the own one has left is refused: then once more."""
    for attempt in range(ATTEMPTS):
        port = 41000 + number * 10 + attempt
        ends = ((CLIENT, port), (SERVER, port))
        local, remote = ends if role == "client" else ends[::-1]
        s = new_socket()
        s.settimeout(PATIENCE)
        s.bind(local)
        at = begin + attempt * APART * 3 + number * APART / 4
        time.sleep(max(0, at - time.time() - 0.002))
        while time.time() < at:
            pass
        try:
            s.connect(remote)
        except OSError:
            s.close()
            continue
        if drive(s, role, workload, number, name(local), name(remote)):
            return


def main():
    role, workload, begin = sys.argv[1], WORKLOADS[sys.argv[2]], float(sys.argv[3])
    if workload.simultaneous:
        threads = start([(meet, (role, workload, number, begin)) for number in range(workload.connections)])
    else:
        threads = (serve if role == "server" else ask)(workload)
    for thread in threads:
        thread.join()
    print(json.dumps(REPORT))


main()
