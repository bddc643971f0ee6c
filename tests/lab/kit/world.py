"""Two network namespaces joined by a fresh wire, and the processes in them. Leaves nothing behind."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

CLIENT, SERVER = "10.99.0.1", "10.99.0.2"
CLIENT6, SERVER6 = "fd99::1", "fd99::2"
SKIP = 77  # exit code that meson takes for "could not run here"


def skip_without_root():
    if os.geteuid() != 0:
        print("skipped: needs root for network namespaces and TAP interfaces")
        sys.exit(SKIP)
    if not os.path.exists("/dev/net/tun"):
        print("skipped: no /dev/net/tun here")
        sys.exit(SKIP)


def die_cleanly_on_sigterm():
    """So that `finally` runs when a test harness gives up on us."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def wait_until(condition, what, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


class World:
    """Namespaces `a` (client) and `b` (server), joined by wire; `directory` is temporary and private. Without a wire there is
    only the namespace `span`."""

    def __init__(self, wire, *wire_options, ipv6=False, span=False, sysctl=(), control="cubic"):
        self.wire_program, self.wire_options = os.path.abspath(wire) if wire else None, list(wire_options)
        self.ipv6, self.sysctl, self.control = ipv6, dict(sysctl), control
        tag = f"lab{os.getpid()}"
        self.a, self.b, self.span = f"{tag}a", f"{tag}b", f"{tag}s" if span else None
        self.processes, self.wire = [], None
        self.namespaces = []

    def __enter__(self):
        self._temporary = tempfile.TemporaryDirectory(prefix="augprobe-lab-")
        self.directory = self._temporary.name
        os.chmod(self.directory, 0o755)
        self.pcap, self.log = self.path("tap.pcap"), self.path("wire.jsonl")
        try:
            for netns in filter(None, (self.a, self.b, self.span) if self.wire_program else (self.span,)):
                subprocess.run(["ip", "netns", "add", netns], check=True)
                self.namespaces.append(netns)
                subprocess.run(["ip", "-n", netns, "link", "set", "lo", "up"], check=True)
                for key, value in self.sysctl.items():
                    self.run(netns, ["sysctl", "-qw", f"{key}={value}"])
            if self.wire_program:
                self._start_wire()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            self.kill(process)
        for netns in self.namespaces:
            # Everything in our own namespaces was started by us, so what is left may be ended by its id.
            pids = subprocess.run(["ip", "netns", "pids", netns], capture_output=True, text=True).stdout.split()
            for pid in pids:
                os.kill(int(pid), signal.SIGKILL)
            subprocess.run(["ip", "netns", "del", netns], check=False)
        self._temporary.cleanup()

    def path(self, name):
        return os.path.join(self.directory, name)

    def _start_wire(self):
        v6 = (f":{CLIENT6}/64", f":{SERVER6}/64") if self.ipv6 else ("", "")
        command = [self.wire_program, "--a", f"{self.a}:wa0:{CLIENT}/24{v6[0]}",
                   "--b", f"{self.b}:wb0:{SERVER}/24{v6[1]}", "--pcap", self.pcap, "--log", self.log, "--log-all",
                   "--rt", "--spin", "80us", *self.wire_options]
        if self.span:
            command += ["--mirror", f"{self.span}:span0"]
        self.wire = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.processes.append(self.wire)
        if self.wire.stdout.readline() != "READY\n":
            raise RuntimeError(self.wire.stderr.read())
        # The routes choose the congestion control, which a namespace's sysctl may not: loss then shows textbook recovery.
        for netns, interface in ((self.a, "wa0"), (self.b, "wb0")):
            subprocess.run(["ip", "-n", netns, "route", "replace", "10.99.0.0/24", "dev", interface, "congctl",
                            self.control], check=True)
            if self.ipv6:
                subprocess.run(["ip", "-n", netns, "-6", "route", "replace", "fd99::/64", "dev", interface, "proto", "kernel",
                                "metric", "256", "congctl", self.control], check=True)

    def _in(self, netns, command):
        return ["ip", "netns", "exec", netns, *map(str, command)]

    def run(self, netns, command, check=True, timeout=120, **options):
        return subprocess.run(self._in(netns, command), check=check, text=True, timeout=timeout,
                              stdout=subprocess.PIPE, **options).stdout

    def client(self, command, **options):
        return self.run(self.a, command, **options)

    def spawn(self, netns, command, **options):
        process = subprocess.Popen(self._in(netns, command), start_new_session=True, stdin=subprocess.DEVNULL, text=True,
                                   **options)
        self.processes.append(process)
        return process

    def serve(self, command, port, protocol="tcp", **options):
        """Starts a server in namespace b and waits until something listens on the port."""
        process = self.spawn(self.b, command, **options)

        def listening():
            if process.poll() is not None:
                raise RuntimeError(f"{command[0]} ended with {process.returncode}")
            kind = "-lntH" if protocol == "tcp" else "-lnuH"
            return f":{port} " in self.run(self.b, ["ss", kind])
        wait_until(listening, f"{command[0]} on port {port}")
        return process

    def kill(self, process, how=signal.SIGKILL):
        if process.poll() is None:
            if process is self.wire:
                process.send_signal(how)
            else:
                os.killpg(process.pid, how)
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()

    def kernel_retransmissions(self):
        """What both TCP stacks say they sent again, SYN and SYN-ACK included."""
        count = 0
        for netns in (self.a, self.b):
            names, values = [line.split() for line in self.run(netns, ["cat", "/proc/net/snmp"]).splitlines()
                             if line.startswith("Tcp:")]
            count += int(values[names.index("RetransSegs")])
        return count

    def kernel_counts(self, netns):
        """What the TCP of a namespace counted since it was made (TcpExt of netstat), by the kernel's names."""
        rows = [line.split()[1:] for line in self.run(netns, ["cat", "/proc/net/netstat"]).splitlines() if line.startswith("TcpExt:")]
        return dict(zip(rows[0], map(int, rows[1])))

    def stop_wire(self, settle=0.5):
        """Ends the wire when everything under way has arrived. Returns the log's events and its summary."""
        time.sleep(settle)
        self.wire.send_signal(signal.SIGTERM)
        self.wire.wait()
        with open(self.log) as lines:
            events = [json.loads(line) for line in lines]
        return events[:-1], events[-1]
