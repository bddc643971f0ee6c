"""Collectors of others: each takes what a sender sends, and gives back rows."""
import datetime
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import xml.etree.ElementTree

from rows import Row

FLAGS = "CEUAPRSF"
UTC = datetime.timezone.utc


class Missing(Exception):
    """The program is not installed."""


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def need(*programs):
    for program in programs:
        if not shutil.which(program) and not os.path.exists(f"/usr/sbin/{program}"):
            raise Missing(f"{program} is not installed")


def path_of(program):
    return shutil.which(program) or f"/usr/sbin/{program}"


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"{what} did not happen within {seconds} s")
        time.sleep(0.05)


def stop(process, seconds=20):
    process.send_signal(signal.SIGINT)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


class Nfcapd:
    """nfcapd writes, nfdump reads (Debian's package nfdump)."""

    def __init__(self, folder):
        need("nfcapd", "nfdump")
        self.folder = pathlib.Path(folder) / "nfcapd"
        self.folder.mkdir()
        self.log = self.folder.with_suffix(".log")
        port = free_port()
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [path_of("nfcapd"), "-p", str(port), "-b", "127.0.0.1", "-l", str(self.folder), "-t", "3600", "-B",
                 "4000000"], stdout=log, stderr=log)
        wait_until(lambda: "Startup nfcapd" in self.log.read_text(), 10, "the start of nfcapd")
        self.url = f"udp://127.0.0.1:{port}"

    def rows(self):
        time.sleep(1)
        stop(self.process)
        log = self.log.read_text()
        if "Sequence Errors: 0," not in log:
            raise RuntimeError("nfcapd counted sequence errors:\n" + log)
        out = subprocess.run([path_of("nfdump"), "-R", str(self.folder), "-o", "json"], check=True, capture_output=True,
                             text=True, env={**os.environ, "TZ": "UTC"}).stdout
        self.both_ways = {}
        rows = []
        for f in json.loads(out[out.index("["):]):
            if f["in_packets"] == 0 and f.get("out_packets", 0) == 0:  # a transaction: it has endpoints but no counts
                continue
            row = Row(f.get("src4_addr") or f["src6_addr"], f.get("dst4_addr") or f["dst6_addr"], f.get("src_port", 0),
                      f.get("dst_port", 0), f["proto"], f["in_bytes"], f["in_packets"],
                      sum(0x80 >> i for i, c in enumerate(FLAGS) if f["tcp_flags"][i] == c) if f["proto"] == 6 else 0,
                      f["src_tos"], self.time(f["first"]), self.time(f["last"]), True)
            rows.append(row)
            self.both_ways[row] = (f.get("out_bytes", 0), f.get("out_packets", 0))
        return rows

    @staticmethod
    def time(text):
        return round(datetime.datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


class Nfacctd:
    """Debian's package pmacct."""
    NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1, "ipv6-icmp": 58, "sctp": 132, "igmp": 2, "gre": 47, "esp": 50, "ah": 51,
               "ospf": 89, "pim": 103, "vrrp": 112, "ipv6": 41, "ip": 0}

    def __init__(self, folder):
        need("nfacctd")
        self.folder = pathlib.Path(folder)
        self.out = self.folder / "nfacctd.json"
        self.log = self.folder / "nfacctd.log"
        port = free_port()
        conf = self.folder / "nfacctd.conf"
        conf.write_text("\n".join([
            "daemonize: false", "nfacctd_ip: 127.0.0.1", f"nfacctd_port: {port}", "plugins: print[a]",
            "aggregate[a]: src_host,dst_host,src_port,dst_port,proto,tcpflags,tos,timestamp_start,timestamp_end",
            "print_output[a]: json", f"print_output_file[a]: {self.out}", "print_output_file_append[a]: true",
            "print_refresh_time[a]: 2", "print_cache_entries[a]: 200003", "timestamps_since_epoch: true",
            "nfacctd_pipe_size: 4000000", "plugin_buffer_size: 65536", "plugin_pipe_size: 20000000", ""]))
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen([path_of("nfacctd"), "-f", str(conf)], stdout=log, stderr=log)
        wait_until(lambda: "waiting for NetFlow" in self.log.read_text(), 10, "the start of nfacctd")
        time.sleep(1)
        self.url = f"udp://127.0.0.1:{port}"

    def rows(self):
        time.sleep(3)
        stop(self.process)  # it writes what it has kept when it ends
        rows = []
        for f in map(json.loads, self.out.read_text().splitlines() if self.out.exists() else []):
            if "bytes" not in f:  # a transaction
                continue
            protocol = self.NUMBERS.get(f["ip_proto"])
            rows.append(Row(f["ip_src"], f["ip_dst"], f["port_src"], f["port_dst"],
                            int(f["ip_proto"]) if protocol is None else protocol, f["bytes"], f["packets"],
                            int(f["tcp_flags"]), f["tos"], round(float(f["timestamp_start"]) * 1000),
                            round(float(f["timestamp_end"]) * 1000), True))
        return rows


class Tshark:
    """Wireshark's dissector, over an IPFIX file."""

    def __init__(self, folder):
        need("tshark")
        self.path = pathlib.Path(folder) / "tshark.ipfix"
        self.url = f"file:{self.path}"

    def rows(self):
        out = subprocess.run([path_of("tshark"), "-r", str(self.path), "-T", "pdml"], check=True, capture_output=True,
                             text=True, env={**os.environ, "TZ": "UTC"}).stdout
        tree = xml.etree.ElementTree.fromstring(out)
        rows, self.both_ways, self.type_names = [], {}, set()
        self.problems = [f.get("showname") for f in tree.iter("field") if f.get("name") in ("_ws.malformed", "_ws.expert")]
        self.not_sent = [int(f.get("show")) for f in tree.iter("field") if f.get("name") == "cflow.notsent_flows"]
        for flow in tree.iter("field"):
            if flow.get("name") != "" or not (flow.get("show") or "").startswith("Flow "):
                continue
            first, reverse = {}, {}
            for field in flow.findall("field") + flow.findall("field[@name='cflow.timedelta']/field"):
                to = reverse if "(Reverse" in field.get("showname", "") else first
                to.setdefault(field.get("name"), field.get("show"))
            if "cflow.information_element_name" in first:
                self.type_names.add(first["cflow.information_element_name"])
            if "cflow.octets" not in first:
                continue
            row = Row(first.get("cflow.srcaddr") or first["cflow.srcaddrv6"],
                      first.get("cflow.dstaddr") or first["cflow.dstaddrv6"], int(first.get("cflow.srcport", 0)),
                      int(first.get("cflow.dstport", 0)), int(first["cflow.protocol"]), int(first["cflow.octets"]),
                      int(first["cflow.packets"]), int(first.get("cflow.tcpflags", "0"), 0),
                      int(first.get("cflow.tos", "0"), 0), self.time(first["cflow.abstimestart"]),
                      self.time(first["cflow.abstimeend"]), True)
            rows.append(row)
            self.both_ways[row] = (int(reverse.get("cflow.octets", 0)), int(reverse.get("cflow.packets", 0)))
        return rows

    @staticmethod
    def time(text):
        date, fraction = text.removesuffix(" UTC").rsplit(".", 1)
        whole = datetime.datetime.strptime(" ".join(date.split()), "%b %d, %Y %H:%M:%S").replace(tzinfo=UTC)
        return int(whole.timestamp()) * 1000 + int(fraction[:3])


ALL = {"nfcapd": Nfcapd, "nfacctd": Nfacctd, "tshark": Tshark}
