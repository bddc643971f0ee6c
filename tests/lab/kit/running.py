"""A running probe with a configuration file, and collectors that come and go."""
import json
import os
import re
import signal
import socket
import subprocess
import time

from .world import wait_until

TARGET_PARTS = ("sent", "unsuitable", "queue_full", "failed")


def read_text(path):
    with open(path) as file:
        return file.read()


def as_arguments(settings):
    return [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]


class Probe:
    """`augprobe run -c FILE` in a namespace. `settings`: lines of the file without the sections of its keys."""

    def __init__(self, w, netns, program, name, settings, **options):
        self.w, self.netns, self.program, self.name = w, netns, program, name
        self.file, self.log, self.socket = (w.path(f"{name}.{end}") for end in ("toml", "log", "sock"))
        self.settings = {"statistics.socket": self.socket, **settings}
        self.write()
        self.process = w.spawn(netns, [program, "run", "-c", self.file], stderr=open(self.log, "w"), **options)
        wait_until(lambda: "event=started" in self.said() or self.process.poll() is not None, f"{name} to start", 60)
        if self.process.poll() is not None:
            raise RuntimeError(f"{name} did not start: {self.said()}")

    def write(self):
        """In one step: the probe may just be reading it."""
        with open(f"{self.file}.new", "w") as out:
            for key, value in self.settings.items():
                out.write(f"{key} = {json.dumps(value)}\n")
        os.replace(out.name, self.file)

    def said(self):
        return read_text(self.log)

    def events(self, name):
        return [dict(re.findall(r"(\w+)=(\"[^\"]*\"|\S+)", line)) for line in re.findall(rf"event={name}\b.*", self.said())]

    def pid(self):
        """Of the probe itself: `ip netns exec` becomes it."""
        return self.process.pid

    def resident(self):
        return int(re.search(r"VmRSS:\s+(\d+) kB", read_text(f"/proc/{self.pid()}/status"))[1]) << 10

    def statistics(self):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(self.socket)
            s.sendall(b"statistics\n")
            answer = b""
            while not answer.endswith(b"\n"):
                piece = s.recv(1 << 20)
                if not piece:
                    raise RuntimeError(f"{self.name} ended its answer early")
                answer += piece
        return json.loads(answer)

    def signal(self, what):
        self.process.send_signal(what)

    def reload(self, wait=True, **settings):
        """Writes these settings (`export_targets=…` for export.targets) into the file and sends SIGHUP. Whether they were
        taken; None if that is not waited for."""
        self.settings |= {key.replace("_", ".", 1): value for key, value in settings.items()}
        self.write()
        before = [len(self.events(e)) for e in ("reloaded", "reload-refused")]
        self.signal(signal.SIGHUP)
        if not wait:
            return None
        counts = []

        def told():
            counts[:] = [len(self.events(e)) for e in ("reloaded", "reload-refused")]
            return counts != before
        wait_until(told, f"{self.name} to reload")
        return counts[0] > before[0]

    def stop(self, seconds=60):
        """The exit code; `ended` is what the last line tells, `counters` what the summary does."""
        self.signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        text = self.said()
        self.ended = (self.events("ended") or [{}])[-1]
        self.counters = {name: int(value) for name, value in re.findall(r"^(\w+) +(\d+) \w+$", text, re.M)}
        self.planned = int(re.search(r"event=memory octets=(\d+)", text)[1])
        return code


class Collector:
    """`augprobe collect` at one address, started and killed as often as wanted; each life has a file of its own."""

    def __init__(self, w, netns, program, scheme, port):
        self.w, self.netns, self.program = w, netns, program
        self.scheme, self.port, self.url = scheme, port, f"{scheme}://127.0.0.1:{port}"
        self.lives, self.process = [], None

    def start(self):
        name = self.w.path(f"collector-{self.scheme}-{self.port}-{len(self.lives)}")
        self.lives.append(f"{name}.jsonl")
        command = [self.program, "collect", "--quiet", "--listen", self.url, "--json", f"{name}.jsonl"]
        self.process = self.w.spawn(self.netns, command, stderr=open(f"{name}.log", "w"))
        kind = "-lntH" if self.scheme == "tcp" else "-lnuH"
        wait_until(lambda: f":{self.port} " in self.w.run(self.netns, ["ss", kind]), f"the collector at {self.url}")
        return self

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(60)

    def signal(self, what):
        self.process.send_signal(what)

    def lines(self):
        """Of all lives; a life that was killed may have written part of a line."""
        out = []
        for life in self.lives:
            for line in read_text(life).splitlines(keepends=True):
                if line.endswith("\n"):
                    out.append(line)
        return out

    def records(self):
        return [json.loads(line) for line in self.lines()]


class Judge:
    """What was checked; prints each and what disagrees."""

    def __init__(self, name):
        self.name, self.checks, self.faults = name, 0, 0
        self.begin = time.monotonic()

    def check(self, what, good, found=""):
        self.checks += 1
        self.faults += 0 if good else 1
        if not good or found != "":
            print(f"       {'ok  ' if good else 'FAIL'} {what}{f': {found}' if found != '' else ''}", flush=True)
        return good

    def equal(self, what, expected, got):
        return self.check(what, expected == got, "" if expected == got else f"expected {expected!r}, got {got!r}")

    def same(self, what, expected, got, most=3):
        """Two counters of records as text."""
        self.equal(f"{what}: records", expected.total(), got.total())
        missing, extra = expected - got, got - expected
        self.check(f"{what}: each is in the truth, and each of the truth is there", not missing and not extra)
        for title, some in (("missing", missing), ("extra", extra)):
            for text in list(some)[:most]:
                print(f"            {title}: {text}")

    def clean_exit(self, probe, code):
        text = probe.said()
        trouble = re.search(r"(ERROR: (?:Address|Leak)Sanitizer|runtime error:).*", text)
        if not self.check(f"{probe.name}: ends without a complaint", code == 0 and not trouble):
            print(f"            exit code {code}; {text[-6000:] if not trouble else text[trouble.start():][:6000]}")
        self.equal(f"{probe.name}: its identity", "holds", probe.ended.get("identity"))

    def report(self):
        print(f"{'FAIL' if self.faults else 'ok  '} {self.name}: {self.checks} checks, {self.faults} failed, "
              f"{time.monotonic() - self.begin:.0f} s", flush=True)
        return not self.faults


def balance(target):
    """What a target was given less what became of it: nothing, once all has gone."""
    return target["given"] - sum(target[part] for part in TARGET_PARTS)


SO_TIMESTAMPNS = 35


class Tap:
    """A capture of others (dumpcap) at an interface, with the times that the kernel gives to all who read there."""

    def __init__(self, w, netns, interface, name=None):
        # While one socket wants it, the kernel stamps each frame when it comes in: all who read it tell the same time.
        self.stamper = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.stamper.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.path = w.path(f"{name or interface}.pcap")
        self.dumpcap = w.spawn(netns, ["dumpcap", "-q", "-i", interface, "-B", "64", "-w", f"{self.path}ng"],
                               stderr=open(f"{self.path}.log", "w"))
        wait_until(lambda: os.path.exists(f"{self.path}ng") and os.path.getsize(f"{self.path}ng") > 0, "dumpcap")

    def stop(self):
        """Path of the capture; dumpcap must have lost nothing."""
        self.dumpcap.send_signal(signal.SIGINT)
        self.dumpcap.wait(30)
        self.stamper.close()
        lost = re.search(r"(\d+)/(\d+)", read_text(f"{self.path}.log").rpartition("dropped")[2])
        if not lost or lost[2] != "0":
            raise RuntimeError(f"dumpcap: {read_text(f'{self.path}.log')}")
        subprocess.run(["editcap", "-F", "nsecpcap", f"{self.path}ng", self.path], check=True)
        return self.path
