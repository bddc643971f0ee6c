"""The probe's records against the truth of a capture. Definitions: docs/METRICS.md."""
import json
import re
import subprocess
from collections import Counter, defaultdict

from . import quic, rtp, rtsp, sip

RTT_US = 200  # how near a round trip must be to the wire's
LOG_EARLY_US = 10_000  # a server reads its clock once in a while: nginx logged 65 ms for what took 61.5 on the wire
CLIENT_US = 10_000  # curl takes its times when the machine lets it
SCHEDULING_US = 50_000  # how long a busy machine may leave a server waiting; the wire, not the log, is exact
HANDSHAKE_REPEATED, OPAQUE = 1 << 3, 1 << 13  # quality bits, docs/METRICS.md
# What a poll's times change: flowId is a hash of the first packet's.
OF_TIME = ("flowId", "measurementQuality", "transactionQuality")
DNS_TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33, "CAA": 257}
DNS_CODES = {"NOERROR": 0, "FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "REFUSED": 5}


def replay(probe, capture, *options):
    """The probe's records of a capture, a list of objects."""
    run = subprocess.run([probe, "replay", *options, "--json", "-", capture], check=True, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def without_times(records):
    def lasting(name):
        return not name.endswith(("Milliseconds", "Microseconds", "Nanoseconds", "PerSecond")) and name not in OF_TIME
    return [{name: value for name, value in record.items() if lasting(name)} for record in records]


def reverse(name):
    return "reverse" + name[0].upper() + name[1:]


def turned(flow):
    """The record with client and server exchanged."""
    def other(name):
        for one, two in (("source", "destination"), ("tcpServer", "tcpClient")):
            for this, that in ((one, two), (two, one)):
                if name.startswith(this):
                    return that + name[len(this):]
        if name.startswith("reverse"):
            return name[7].lower() + name[8:]
        return reverse(name) if reverse(name) in flow or name.endswith("DeltaCount") or name.startswith("tcp") else name
    return {other(name): value for name, value in flow.items()}


def endpoints(record):
    def one(side):
        if f"{side}IPv6Address" in record:
            return f"[{record[f'{side}IPv6Address']}]:{record[f'{side}TransportPort']}"
        return f"{record.get(f'{side}IPv4Address')}:{record.get(f'{side}TransportPort')}"
    return one("source"), one("destination")


class Comparison:
    """Collects what was checked and what did not agree."""

    def __init__(self, truth, records, stamps_us=0):
        """`stamps_us`: how far the probe's time stamps may be from the wire's, beyond what all have in common."""
        self.truth, self.stamps_us = truth, stamps_us
        self.checks, self.faults = 0, []
        self.by_pair = defaultdict(lambda: defaultdict(list))
        for record in records:
            self.by_pair[endpoints(record)][record["record"]].append(record)
        for kinds in self.by_pair.values():
            for kind in ("http", "sql", "dns", "rtsp"):
                kinds[kind].sort(key=lambda r: r["transactionId"])

    def equal(self, where, what, expected, got):
        self.checks += 1
        if expected != got:
            self.faults.append(f"{where}: {what}: expected {expected!r}, got {got!r}")

    def near(self, where, what, expected, got, tolerance):
        self.checks += 1
        tolerance += self.stamps_us
        if got is None or abs(got - expected) > tolerance:
            self.faults.append(f"{where}: {what}: expected {expected:.0f} ± {tolerance:.0f}, got {got}")

    def report(self, name):
        """Prints it; whether all is well, which a comparison without checks is not."""
        well = self.checks > 0 and not self.faults
        print(f"{'ok  ' if well else 'FAIL'} {name}: {self.checks} checks, {len(self.faults)} disagree")
        for fault in self.faults:
            print(f"       {fault}")
        return well

    def run(self):
        for connection in self.truth["tcp"]:
            self.connection(connection)
        for pair in self.truth["udp"]:
            self.udp_pair(pair)
        for kind, check in (("http", self.http_log), ("dns", self.dns_log), ("sql", self.statements)):
            if kind in self.truth["server"]:
                check(self.truth["server"][kind])
        if "quic" in self.truth.get("client", {}):
            quic.check(self, self.truth, self.of_kind("quic"))
        if "rtp" in self.truth.get("client", {}):
            rtp.check(self, self.truth, self.of_kind("rtp"))
        if "sip" in self.truth.get("client", {}):
            sip.check(self, self.truth, self.of_kind("sip"))
        if "rtsp" in self.truth.get("client", {}):
            rtsp.check(self, self.truth, self.of_kind("rtsp"))
        return self

    def of_kind(self, kind):
        return [record for kinds in self.by_pair.values() for record in kinds[kind]]

    # ---- TCP

    def flows_of(self, c):
        """Its records as if the client had begun: who was first in a simultaneous open is chance."""
        return self.by_pair[(c["client"], c["server"])]["flow"] + [
            turned(flow) for flow in self.by_pair[(c["server"], c["client"])]["flow"]]

    def connection(self, c):
        if not any(c[way].get("tap_packets") for way in ("up", "down")):
            return
        where = c["client"]
        flows = self.flows_of(c)
        if not flows:
            self.equal(where, "flow records", "at least one", 0)
            return

        def total(name):
            return sum(flow.get(name, 0) for flow in flows)
        for way, name_of in (("up", str), ("down", reverse)):
            for key, name in (("tap_packets", "packetDeltaCount"), ("tap_octets", "octetDeltaCount"),
                              ("tap_retransmitted", "tcpRetransmittedPacketCount"),
                              ("tap_retransmitted_octets", "tcpRetransmittedOctetCount"),
                              ("tap_retransmitted_before", "tcpRetransmittedBeforeProbePacketCount"),
                              ("tap_reordered", "tcpOutOfOrderPacketCount"),
                              ("tap_window_closures", "tcpZeroWindowCount"),
                              ("tap_never_seen_octets", "tcpCaptureLossOctetCount")):
                self.equal(where, name_of(name), c[way].get(key, 0), total(name_of(name)))
            # An acknowledgement that passed proves it; what arrived but was not acknowledged yet is told by DSACK at best.
            name = name_of("tcpSpuriousRetransmissionPacketCount")
            proved = max(c[way].get(f"tap_unneeded_{how}", 0) for how in ("acknowledged", "proved"))
            real = c[way].get("tap_unneeded", 0)
            self.equal(where, f"{name} ({total(name)}) is from {proved} to {real}", True, proved <= total(name) <= real)
        self.round_trips(where, c, flows[0])
        self.turns(where, c)

    def round_trips(self, where, c, flow):
        for side in ("Server", "Client"):
            key = f"{side.lower()}_rtt"
            for expected, name in ((c["handshake"].get(f"{key}_ns"), f"tcp{side}HandshakeRttMicroseconds"),
                                   (c[f"{key}_min_ns"], f"tcp{side}RttMinMicroseconds")):
                got = flow.get(name)
                if expected is None:
                    continue
                # A repeated handshake may go without a time or with a doubtful one, if the record says so.
                doubtful = got is None or flow["measurementQuality"] & HANDSHAKE_REPEATED
                if "Handshake" in name and c["handshake"]["repeated"] and doubtful:
                    continue
                # The acknowledgement of a FIN may be a lesser sample than any of data; none is less than the wire's delay.
                delay = 2000 * self.truth["wire"][f"{side.lower()}_delay_ms"]
                if "Min" in name and got is not None and delay - RTT_US - self.stamps_us <= got < expected / 1000:
                    got = expected / 1000
                self.near(where, name, expected / 1000, got, RTT_US)

    def transactions(self, c):
        kinds = self.by_pair[(c["client"], c["server"])]
        return kinds["http"] or kinds["sql"] or kinds["dns"] or kinds["rtsp"]

    def turns(self, where, c):
        """Response times, where each turn of data is one transaction and no frame was harmed."""
        records = [r for r in self.transactions(c) if "responseTimeMicroseconds" in r]
        if c["events"] or len(records) != len(c["turns"]):
            return
        for record, (asked, first, _, asked_at_tap, answered_at_tap) in zip(records, c["turns"]):
            what = f"transaction {record['transactionId']}"
            took, at_tap = (first - asked) / 1000, (answered_at_tap - asked_at_tap) / 1000
            self.near(where, f"{what} responseTimeMicroseconds", at_tap, record["responseTimeMicroseconds"], 2)
            # The wire was late by what the way to the server and back took more than its delay.
            late = at_tap - took - 2000 * self.truth["wire"]["server_delay_ms"]
            self.near(where, f"{what} serverResponseTimeMicroseconds", took,
                      record.get("serverResponseTimeMicroseconds"), RTT_US + abs(late))

    # ---- what servers and clients say

    def http_log(self, log):
        by_client = defaultdict(list)
        for entry in log:
            by_client[entry["client"]].append(entry)
        connections = {c["client"]: c for c in self.truth["tcp"]}
        for where, entries in by_client.items():
            self.equal(where, "connection is in the truth", True, where in connections)
            c = connections[where]
            records = self.by_pair[(where, c["server"])]["http"]
            if any(e[0] == "miss" for e in c["events"]):
                self.part_of_log(where, entries, records)
                continue
            if c["reset"]:  # a request that was cut short may be a record or not
                records = [r for r in records if "httpRequestMethod" in r]
                self.equal(where, "no more http records than requests", True, len(records) <= len(entries))
            else:
                self.equal(where, "http records", len(entries), len(records))
            for entry, record in zip(entries, records):
                self.http_entry(where, c, entry, record)
        self.curl(connections)

    def curl(self, connections):
        """What the probe says that the client sees is what it measured: connecting, and waiting for the first octet."""
        by_port = defaultdict(list)
        for entry in self.truth["client"].get("curl", ()):
            by_port[entry["local_port"]].append(entry)
        for c in connections.values():
            entries = by_port[int(c["client"].rpartition(":")[2])]
            kinds = self.by_pair[(c["client"], c["server"])]
            if c["events"] or c["reset"] or not entries or len(entries) != len(kinds["http"]):
                continue
            flow = kinds["flow"][0]
            self.client_time(c["client"], "connecting", entries[0]["time_connect"] * 1e6,
                       sum(flow[f"tcp{side}HandshakeRttMicroseconds"] for side in ("Server", "Client")))
            for entry, record in zip(entries, kinds["http"]):
                if record["httpRequestMethod"] == "POST" or "httpStatusCode" not in record:
                    continue  # 100 (Continue) is curl's first octet
                waited = entry["time_starttransfer"] - entry["time_pretransfer"]
                self.client_time(c["client"], f"timeToFirstByte of {entry['url_effective']}", waited * 1e6,
                           record.get("timeToFirstByteMicroseconds"))

    def client_time(self, where, what, measured, got):
        self.checks += 1
        if got is None or abs(got - measured) > CLIENT_US:
            self.faults.append(f"{where}: {what}: the client measured {measured:.0f}, got {got}")

    def part_of_log(self, where, entries, records):
        """The capture lacks frames: what was seen whole must be in the log, in its order."""
        rest = iter([(e["method"], e["target"], e["status"]) for e in entries])
        whole = [(r["httpRequestMethod"], r["httpRequestTarget"], r["httpStatusCode"]) for r in records
                 if "httpRequestMethod" in r and "httpStatusCode" in r]
        self.equal(where, "requests in the order of the log", True, bool(whole) and all(w in rest for w in whole))

    def http_entry(self, where, c, entry, record):
        what = f"{where} {entry['method']} {entry['target']}"
        if not entry["octets_sent"]:  # nginx logs a status that it did not send
            entry = entry | {"status": None, "content_type": None}
        for key, name in (("method", "httpRequestMethod"), ("target", "httpRequestTarget"), ("version", "httpMessageVersion"),
                          ("status", "httpStatusCode"), ("host", "httpRequestHost"), ("user_agent", "httpUserAgent"),
                          ("referer", "httpReferer"), ("forwarded_for", "httpForwardedFor"),
                          ("content_type", "httpContentType")):
            self.equal(what, name, entry.get(key), record.get(name))
        if c["reset"]:
            return  # nginx counts what it gave to its kernel
        # nginx leaves out a body that nobody read, and counts the 100 (Continue) in.
        unread = entry["request_octets"] + entry.get("request_body", 0)
        got = record.get("requestOctetCount")
        self.equal(what, "requestOctetCount", unread if got == unread else entry["request_octets"], got)
        interim = len(b"HTTP/1.1 100 Continue\r\n\r\n") if "expect" in entry else 0
        if entry["octets_sent"] and entry["status"] != 101:  # behind a 101 there is no HTTP
            self.equal(what, "responseOctetCount", entry["octets_sent"] - interim, record.get("responseOctetCount"))
        if c["events"] or not entry["octets_sent"] or "upstream_time" not in entry or not entry["target"].startswith("/slow"):
            return
        self.server_time(what, entry["upstream_time"] * 1e6, record)

    def server_time(self, where, logged, record):
        """The server's clock starts when it reads the request and stops before the answer is on the wire."""
        answered = record.get("serverResponseTimeMicroseconds")
        self.equal(where, f"serverResponseTimeMicroseconds {answered} holds the logged {logged:.0f}", True,
                   answered is not None and logged - LOG_EARLY_US <= answered <= logged + SCHEDULING_US)

    def statements(self, server):
        """MariaDB's general log: every command that reached it; and what the slow log says about each."""
        records = [r for kinds in self.by_pair.values() for r in kinds["sql"]]
        records.sort(key=lambda r: r["transactionStartMicroseconds"])
        if self.truth.get("opaque"):
            self.equal("sql", "records of a session that nobody can read", [("LOGIN", None, OPAQUE)],
                       [(r["databaseOperation"], r.get("databaseStatement"), r["transactionQuality"]) for r in records])
            return
        harmed = any(c["events"] for c in self.truth["tcp"])
        asked = [e["text"] for e in server["general"] if e["command"] == "Query"]
        got = [r.get("databaseStatement") for r in records]
        for text in asked:
            self.equal("sql", f"statement {text!r} is reported", True, text in got)
        self.logins(server["general"], records)
        if not harmed:
            self.errors(records)
        slow = defaultdict(list)
        for entry in server["slow"]:
            slow[entry["text"]].append(entry)
        for record in records:
            text = record.get("databaseStatement")
            if text not in slow or len(slow[text]) != got.count(text) or harmed:
                continue
            self.slow_entry(slow[text], record, [r for r in records if r.get("databaseStatement") == text])

    def logins(self, general, records):
        for entry in general:
            found = re.match(r"(\w+)@\S+ (?:on (\w*))? ?using", entry["text"]) if entry["command"] == "Connect" else None
            if not found:
                continue
            user, schema = found[1], found[2] or None
            self.equal("sql", f"a record of user {user} in schema {schema}", True,
                       any(r.get("databaseUser") == user and (not schema or r.get("databaseName") == schema)
                           for r in records))

    def errors(self, records):
        """What the clients were told."""
        told = Counter()
        for entry in self.truth["client"]["sql"]:
            for line in entry.get("errors", []) + entry.get("printed", []):
                found = re.search(r"(?:ERROR|refused:) (\d+) \(?(\w{5})\)?", line)
                if found:
                    told[(int(found[1]), found[2])] += 1
        self.equal("sql", "errors", dict(told), dict(Counter((r["databaseErrorCode"], r.get("databaseSqlState"))
                                                              for r in records if "databaseErrorCode" in r)))

    def slow_entry(self, entries, record, same):
        entry = entries[[id(r) for r in same].index(id(record))]
        text = record["databaseStatement"]
        where = f"sql {text[:40]!r}"
        if "databaseRowCount" in record:
            self.equal(where, "databaseRowCount", entry["rows_sent"], record["databaseRowCount"])
        if "databaseAffectedRowCount" in record:
            self.equal(where, "databaseAffectedRowCount", entry["rows_affected"], record["databaseAffectedRowCount"])
        # The server's time of LOAD DATA LOCAL holds the round trip that fetches the file from the client.
        if "databaseErrorCode" not in record and not text.startswith("LOAD DATA LOCAL"):
            self.server_time(where, entry["query_time"] * 1e6, record)

    # ---- DNS

    def udp_pair(self, pair):
        asked, answered = (pair[way].get("tap_packets", 0) for way in ("up", "down"))
        if not asked + answered:
            return
        where = pair["client"]
        kinds = self.by_pair[(pair["client"], pair["server"])]
        flows = self.flows_of(pair)
        for way, name_of in (("up", str), ("down", reverse)):
            for key, name in (("tap_packets", "packetDeltaCount"), ("tap_octets", "octetDeltaCount")):
                self.equal(where, name_of(name), pair[way].get(key, 0), sum(f.get(name_of(name), 0) for f in flows))
        records = kinds["dns"]
        if kinds["quic"] or any(e[0] == "dup" for e in pair["events"]):
            return
        if "dns" not in self.truth["server"]:
            return
        self.equal(where, "queries seen", asked, sum(r.get("dnsQueryCount", 0) for r in records))
        self.equal(where, "answers seen", answered, sum("dnsResponseCode" in r for r in records))
        if pair["tap_response_ns"] is not None and len(records) == 1:
            self.near(where, "responseTimeMicroseconds", pair["tap_response_ns"] / 1000,
                      records[0].get("responseTimeMicroseconds"), 2)

    def dns_log(self, log):
        """unbound's replies: all of them that passed the probe; dig's ids and results: all of them."""
        replies = Counter((words[3].rstrip(".").lower(), DNS_TYPES.get(words[4]), DNS_CODES[words[6]])
                          for words in log if words[1] == "reply")
        records = [r for kinds in self.by_pair.values() for r in kinds["dns"]]
        answers = Counter((r["dnsQueryName"], r["dnsQueryType"], r["dnsResponseCode"]) for r in records
                          if "dnsResponseCode" in r)
        lost = sum(e[:3] == ["drop", "before", "down"] for pair in self.truth["udp"] for e in pair["events"])
        self.equal("dns", "answers that unbound did not give", {}, dict(answers - replies))
        self.equal("dns", "answers lost before the probe", lost, sum((replies - answers).values()))
        seen = {(r["dnsId"], r["dnsResponseCode"]) for r in records if "dnsResponseCode" in r}
        for entry in self.truth["client"]["dns"]:
            for status, number in entry.get("status_and_id", ()):
                self.equal(f"dig {entry['query']}", "id and result are reported", True,
                           (int(number), DNS_CODES[status]) in seen)
