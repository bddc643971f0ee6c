#!/usr/bin/env python3
"""The commands as people run them: what they print, write and answer with their exit code. Speaks TAP.

Usage: commands_test.py AUGPROBE SOURCE_ROOT
"""
import gzip
import json
import pathlib
import re
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import traceback

AUGPROBE, ROOT = sys.argv[1], pathlib.Path(sys.argv[2])
HTTP, DNS, LOSS = (str(ROOT / f"pcaps/{name}.pcap") for name in ("http_keepalive", "dns_answers", "http_loss_both"))
CASES = []


def case(function):
    CASES.append(function)
    return function


def augprobe(*arguments, stdin=None):
    return subprocess.run([AUGPROBE, *map(str, arguments)], capture_output=True, text=stdin is None, input=stdin, timeout=120)


def good(*arguments, **how):
    done = augprobe(*arguments, **how)
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr}"
    return done


def records(*arguments, **how):
    out = good("replay", "-q", "--json", "-", *arguments, **how).stdout
    return sorted((out if isinstance(out, str) else out.decode()).splitlines())


def lines_of(path):
    return sorted(path.read_text().splitlines())


class Collecting:
    """A collector on a free port of loopback."""

    def __init__(self, scheme, *arguments):
        self.process = subprocess.Popen([AUGPROBE, "collect", "--listen", f"{scheme}://127.0.0.1:0", *map(str, arguments)],
                                        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        port = re.search(r"port (\d+)", self.process.stderr.readline())[1]
        self.url = f"{scheme}://127.0.0.1:{port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.said = self.process.communicate(timeout=30)[1]
        return self.process.returncode


@case
def replay_without_an_output_shows_tables(tmp):
    out = good("replay", HTTP, DNS).stdout
    for text in ("Largest flows", "Slowest HTTP transactions", "Slowest DNS queries", "client RTT ms", "retransmitted %"):
        assert text in out, text


@case
def replay_counts_what_the_capture_filter_leaves_out(tmp):
    def counters(*arguments):
        told = good("replay", "--json", tmp / "filtered", HTTP, DNS, *arguments).stderr
        return {name: int(value) for name, value in re.findall(r"^(\w+) +(\d+) ", told, re.M)}
    both, some = counters(), counters("--set", "capture.filter=port 53 or (vlan and port 53)")
    assert "capture_filtered" not in both, both
    assert some["capture_filtered"] + some["decode_packets"] == some["capture_frames"] == both["capture_frames"], some
    assert lines_of(tmp / "filtered") == records(DNS)
    four = ("--workers", "4", "--set", "capture.filter=port 53")
    assert records(HTTP, DNS, *four) == records(DNS)


@case
def a_wrong_capture_filter_is_told_with_its_mistake(tmp):
    done = augprobe("replay", "--set", "capture.filter=tcp prot 80", HTTP)
    assert done.returncode == 2 and '"tcp prot 80"' in done.stderr and "syntax error" in done.stderr, done.stderr


@case
def replay_tells_its_counters_unless_quiet(tmp):
    assert "capture_frames" in good("replay", "--json", tmp / "a", HTTP).stderr
    assert good("replay", "-q", "--json", tmp / "a", HTTP).stderr == ""


@case
def replay_gives_the_same_records_every_time(tmp):
    first, second = (good("replay", "-q", "--json", "-", HTTP, LOSS).stdout for _ in range(2))
    assert first and first == second


@case
def replay_gives_the_same_records_with_any_number_of_workers(tmp):
    captures = sorted(str(p) for p in (ROOT / "pcaps").glob("*.pcap"))
    one = records(*captures)
    assert len(one) > 100
    for workers in ("2", "4", "7"):
        assert records("-w", workers, *captures) == one, workers


@case
def replay_reads_standard_input_and_compressed_captures(tmp):
    expected = records(HTTP)
    octets = pathlib.Path(HTTP).read_bytes()
    assert records("-", stdin=octets) == expected
    (tmp / "c.pcap.gz").write_bytes(gzip.compress(octets))
    assert records(tmp / "c.pcap.gz") == expected


@case
def a_damaged_capture_gives_what_is_before_the_damage(tmp):
    octets = pathlib.Path(HTTP).read_bytes()
    (tmp / "cut.pcap").write_bytes(octets[: len(octets) * 2 // 3 + 5])
    done = augprobe("replay", "-q", "--json", "-", tmp / "cut.pcap")
    assert done.returncode == 1 and "cut.pcap" in done.stderr, done.stderr
    assert re.search(r"octet \d+|offset \d+|at \d+", done.stderr), done.stderr
    assert 0 < len(done.stdout.splitlines()) <= len(records(HTTP))


@case
def a_capture_that_is_not_there_does_not_stop_the_others(tmp):
    done = augprobe("replay", "-q", "--json", "-", "/nowhere/a.pcap", HTTP)
    assert done.returncode == 1 and "/nowhere/a.pcap" in done.stderr
    assert sorted(done.stdout.splitlines()) == records(HTTP)


@case
def a_file_that_is_no_capture_is_told(tmp):
    (tmp / "letter").write_text("Dear friend, this is no capture, but a letter of some length.\n")
    done = augprobe("replay", "-q", "--json", "-", tmp / "letter")
    assert done.returncode == 1 and done.stdout == "" and "letter" in done.stderr


@case
def what_was_expected_is_found(tmp):
    good("replay", "-q", "--json", tmp / "e.jsonl", HTTP)
    assert "0 different, 0 missing, 0 extra" in good("replay", "-q", "--expect", tmp / "e.jsonl", HTTP).stdout


@case
def what_is_not_as_expected_is_told(tmp):
    good("replay", "-q", "--json", tmp / "e.jsonl", HTTP)
    lines = [json.loads(line) for line in (tmp / "e.jsonl").read_text().splitlines()]
    changed = next(r for r in lines if r["record"] == "http" and "httpStatusCode" in r)
    changed["httpStatusCode"] += 1
    (tmp / "e.jsonl").write_text("".join(json.dumps(r) + "\n" for r in lines[:-1]))
    done = augprobe("replay", "-q", "--expect", tmp / "e.jsonl", HTTP)
    assert done.returncode == 1
    assert f"httpStatusCode: expected {changed['httpStatusCode']}, got {changed['httpStatusCode'] - 1}" in done.stdout
    assert "1 extra" in done.stdout, done.stdout[-200:]


@case
def an_ipfix_file_holds_what_json_says(tmp):
    good("replay", "-q", "--export", f"file:{tmp}/f.ipfix", "--store", tmp / "direct.sqlite", HTTP, DNS)
    direct, file = (good("show", tmp / name, "--top", 1000).stdout for name in ("direct.sqlite", "f.ipfix"))
    assert direct.count("\n") > 50 and direct == file
    again = (tmp / "f.ipfix").read_bytes()
    good("replay", "-q", "--export", f"file:{tmp}/f.ipfix", HTTP, DNS)
    assert (tmp / "f.ipfix").read_bytes() == again, "a replay writes the same file again"


@case
def a_cut_ipfix_file_is_told(tmp):
    good("replay", "-q", "--export", f"file:{tmp}/f.ipfix", HTTP, DNS, LOSS)
    (tmp / "f.ipfix").write_bytes((tmp / "f.ipfix").read_bytes()[:-7])
    done = augprobe("show", tmp / "f.ipfix")
    assert done.returncode == 1 and "damaged" in done.stderr and "Slowest HTTP" in done.stdout


def over(scheme, tmp):
    with Collecting(scheme, "--json", tmp / "got.jsonl", "--store", tmp / "got.sqlite") as collector:
        good("replay", "-q", "--export", collector.url, "--json", tmp / "sent.jsonl", HTTP, DNS, LOSS)
        assert collector.end() == 0, collector.said
    sent = lines_of(tmp / "sent.jsonl")
    assert len(sent) > 50 and lines_of(tmp / "got.jsonl") == sent
    with sqlite3.connect(tmp / "got.sqlite") as db:
        stored = sum(db.execute(f"SELECT count(*) FROM {kind}").fetchone()[0] for kind in ("flow", "http", "dns", "sql"))
    assert stored == len(sent)


@case
def what_is_sent_over_tcp_arrives(tmp):
    over("tcp", tmp)


@case
def what_is_sent_over_udp_arrives(tmp):
    over("udp", tmp)


@case
def two_targets_with_different_profiles_get_their_records(tmp):
    with Collecting("tcp", "--json", tmp / "basic.jsonl") as collector:
        good("replay", "-q", "--export", f"{collector.url}?profile=basic", "--export", f"file:{tmp}/n.ipfix", "--json",
             tmp / "sent.jsonl", HTTP)
        assert collector.end() == 0, collector.said
    sent = [json.loads(line) for line in lines_of(tmp / "sent.jsonl")]
    got = [json.loads(line) for line in lines_of(tmp / "basic.jsonl")]
    flows = [r for r in sent if r["record"] == "flow"]
    for name in ("packetDeltaCount", "octetDeltaCount"):
        both = name, "reverse" + name[0].upper() + name[1:]
        assert sum(r[name] for r in got) == sum(r[way] for r in flows for way in both), name
    assert {r["flowId"] for r in got} == {r["flowId"] for r in flows}


@case
def the_collector_ends_when_nothing_comes(tmp):
    begin = time.monotonic()
    done = good("collect", "--listen", "udp://127.0.0.1:0", "--stop-when-idle", "1")
    assert time.monotonic() - begin < 10 and "0 records" in done.stderr


@case
def the_collector_says_that_rubbish_came(tmp):
    with Collecting("udp", "--json", tmp / "got.jsonl") as collector:
        host, port = collector.url.removeprefix("udp://").split(":")
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"rubbish" * 9, (host, int(port)))
        time.sleep(0.3)
        assert collector.end(signal.SIGINT) == 1, collector.said


@case
def the_collector_says_what_an_exporter_told_of_itself(tmp):
    template = struct.pack("!12H", 3, 24, 300, 3, 1, 144, 4, 164, 2, 166, 8, 0)  # RFC 7011 section 4.3, and a short number
    record = struct.pack("!HHIHQ", 300, 18, 4711, 12, 34)
    message = struct.pack("!HHIII", 10, 16 + len(template) + len(record), 1_760_000_000, 0, 0) + template + record
    with Collecting("udp", "--json", tmp / "got.jsonl") as collector:
        host, port = collector.url.removeprefix("udp://").split(":")
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(message, (host, int(port)))
        time.sleep(0.3)
        assert collector.end() == 0, collector.said
        assert "tells: 12 packets ignored, 34 records not sent" in collector.said, collector.said


@case
def a_collector_that_is_not_there_is_an_error(tmp):
    free = socket.socket()
    free.bind(("127.0.0.1", 0))
    done = augprobe("replay", "-q", "--export", f"tcp://127.0.0.1:{free.getsockname()[1]}", HTTP)
    assert done.returncode != 0 and "Connection refused" in done.stderr, done.stderr


@case
def private_text_does_not_leave(tmp):
    out = "\n".join(records("--set", "redact.url_queries=true", ROOT / "pcaps/http_slow_backend.pcap"))
    assert "/slow" in out and "?" not in out


@case
def questions_are_answered(tmp):
    good("replay", "-q", "--store", tmp / "d.sqlite", LOSS)
    assert "retransmitted_percent" in good("show", tmp / "d.sqlite", "--query", "retransmission").stdout
    assert good("show", tmp / "d.sqlite", "--query", "SELECT 6 * 7 AS answer").stdout == "answer\n    42\n"
    done = augprobe("show", tmp / "d.sqlite", "--query", "DROP TABLE flow")
    assert done.returncode == 2 and "flow" in good("show", tmp / "d.sqlite", "--kind", "flow").stdout.lower()


@case
def mistakes_in_arguments_are_told(tmp):
    for arguments, text in (
        ((), "subcommand"),
        (("replay",), "captures is required"),
        (("replay", "--wrong", HTTP), "--wrong"),
        (("replay", "--export", "http://x", HTTP), "udp://HOST:PORT"),
        (("replay", "--export", "udp://127.0.0.1:9?profil=basic", HTTP), "profil"),
        (("replay", "--set", "flow.idle_timeut=1s", HTTP), "idle_timeout"),
        (("replay", "--json", "/nowhere/x", HTTP), "/nowhere/x"),
        (("show", "/nowhere/x"), "/nowhere/x"),
        (("collect", "--listen", "udp://127.0.0.1:x"), "port"),
        (("top", "--once", "--socket", "/nowhere/x"), "no probe answers at /nowhere/x"),
        (("top", "--once", "--socket", "/" + 200 * "x"), "octets"),
    ):
        done = augprobe(*arguments)
        assert done.returncode == 2 and text in done.stderr, f"{arguments}: {done.returncode} {done.stderr}"


@case
def a_configuration_is_checked_as_a_whole(tmp):
    (tmp / "good.toml").write_text(good("options").stdout)
    assert "good" in good("check-config", tmp / "good.toml").stdout
    (tmp / "bad.toml").write_text("[flow]\nidle_timeout = 5\ncapacty = 100\n[capture]\nworkers = 1000\n")
    done = augprobe("check-config", tmp / "bad.toml")
    assert done.returncode == 2
    for line in (2, 3, 5):
        assert f"bad.toml:{line}: " in done.stderr, done.stderr
    assert augprobe("replay", "-c", tmp / "bad.toml", HTTP).returncode == 2


@case
def the_configuration_is_obeyed(tmp):
    (tmp / "c.toml").write_text(f'[dissect]\nenabled = false\n[export]\ntargets = ["file:{tmp}/c.ipfix"]\n')
    good("replay", "-q", "-c", tmp / "c.toml", HTTP)
    out = good("show", tmp / "c.ipfix").stdout
    assert "Largest flows" in out and "HTTP" not in out


@case
def doctor_tells_what_it_found_as_a_table_and_as_json(tmp):
    table = good("doctor").stdout
    rows = json.loads(good("doctor", "--json").stdout)
    assert {row["verdict"] for row in rows} <= {"good", "advice"}
    for row in rows:
        assert row["check"] in table
        assert row["verdict"] == "good" or (row["gain"] in table and row["remedy"] in table), row
    assert augprobe("doctor", "--set", "capture.workers=0").returncode == 2


@case
def doctor_looks_at_the_ports_of_the_configuration(tmp):
    (tmp / "c.toml").write_text('[capture]\nports = ["socket:lo", "socket:not-there", "dpdk:0000:ff:1f.7"]\n')
    done = augprobe("doctor", "-c", tmp / "c.toml", "--json")
    found = {(row["check"], row.get("subject")): row for row in json.loads(done.stdout)}
    assert done.returncode == 1
    assert found["interface", "lo"]["verdict"] == "good"
    assert found["interface", "not-there"]["verdict"] == "problem"
    assert found["NIC driver", "0000:ff:1f.7"]["found"] == "not there"
    assert "no DPDK port" not in found["hugepages", None]["found"]
    assert augprobe("doctor", "--set", 'capture.ports=["eth1"]').returncode == 2


@case
def help_and_version_are_there(tmp):
    for command in ((), ("replay",), ("collect",), ("show",), ("doctor",), ("top",), ("elements",), ("options",), ("counters",), ("check-config",)):
        assert "Usage:" in good(*command, "--help").stdout
    assert re.match(r"augprobe \d+\.\d+\.\d+\ndissectors: .*http", good("--version").stdout)


def main():
    print(f"1..{len(CASES)}", flush=True)
    failed = 0
    for number, function in enumerate(CASES, 1):
        name = function.__name__.replace("_", " ")
        with tempfile.TemporaryDirectory(prefix="augprobe-commands-") as directory:
            try:
                function(pathlib.Path(directory))
                print(f"ok {number} {name}", flush=True)
            except Exception:
                failed += 1
                print(f"not ok {number} {name}", flush=True)
                print("".join(f"# {line}\n" for line in traceback.format_exc().splitlines()), end="", flush=True)
    sys.exit(1 if failed else 0)


main()
