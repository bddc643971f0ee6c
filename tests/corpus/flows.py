"""Both sides of the comparison brought into one shape: what the probe and what the other tools say of each pair of ends.

A pair of ends is (protocol, end, end), ends being (address, port), the lesser first: time-outs and reused ports split
flows in ways that need not agree, but their sums must.
"""
import gzip
import ipaddress
import json
from collections import Counter, defaultdict

import tcp

PROTOCOLS = {6: "tcp", 17: "udp"}
MDNS = 5353
REQUEST_REPEATED = 1024  # of transactionQuality
SIDES = ("server", "client")


def end(address, port):
    return str(ipaddress.ip_address(address)), int(port)


def pair(protocol, one, other):
    return (protocol, *sorted((one, other)))


def name(key):
    return f"{key[0]} {key[1][0]}:{key[1][1]} {key[2][0]}:{key[2][1]}"


class Side:
    """What one end sent."""

    def __init__(self):
        self.packets = self.octets = 0
        self.sent = tcp.Sent()                 # the probe's figures
        self.sources = defaultdict(tcp.Sent)   # those of other tools
        self.unknown = set()                   # which of these tell nothing
        self.causes = defaultdict(Counter)     # why they differ


class Talk:
    """All that was said between two ends."""

    def __init__(self):
        self.sides = defaultdict(Side)
        self.handshakes = defaultdict(list)  # source: (server's, client's) in µs; None: not measured
        self.http, self.sql, self.queries, self.answers = [], [], Counter(), Counter()
        self.dns_times = defaultdict(list)


def reverse(field):
    return "reverse" + field[0].upper() + field[1:]


def of_probe(records):
    talks = defaultdict(Talk)
    records = sorted(records, key=lambda r: (r.get("transactionStartMicroseconds", 0), r.get("transactionId", 0)))
    for record in records:
        protocol = PROTOCOLS.get(record["protocolIdentifier"])
        if protocol is None or "sourceTransportPort" not in record:
            continue
        family = "IPv6" if "sourceIPv6Address" in record else "IPv4"
        ends = [end(record[f"{side}{family}Address"], record[f"{side}TransportPort"]) for side in ("source", "destination")]
        talk = talks[pair(protocol, *ends)]
        if compared := COMPARED.get(record["record"]):
            compared(talk, record, ends)
    return talks


def flow_record(talk, record, ends):
    for sender, name_of, prefix in zip(ends, (str, reverse), ("Server", "Client")):
        side = talk.sides[sender]
        side.packets += record.get(name_of("packetDeltaCount"), 0)
        side.octets += record.get(name_of("octetDeltaCount"), 0)
        tcp.of_record(side.sent, record, name_of, prefix)
    if record.get("flowEndReason") != 2 or "tcpServerHandshakeRttMicroseconds" in record:
        talk.handshakes["probe"].append((record.get("tcpServerHandshakeRttMicroseconds"),
                                         record.get("tcpClientHandshakeRttMicroseconds")))


def http_record(talk, record, _):
    what = tuple(record.get(f) for f in ("httpRequestMethod", "httpRequestHost", "httpRequestTarget", "httpStatusCode"))
    repeated = record.get("transactionQuality", 0) & REQUEST_REPEATED != 0
    talk.http.append((what, record.get("responseTimeMicroseconds"), record.get("timeToLastByteMicroseconds"), repeated))


def answered(question, code, ends):
    """RFC 6762 §6: answers of mDNS carry no question, so none is compared; the probe names them by their first record."""
    return (question[0], code) if any(e[1] == MDNS for e in ends) else (*question, code)


def dns_record(talk, record, ends):
    question = (record["dnsId"], record.get("dnsQueryName"), record.get("dnsQueryType"))
    talk.queries[question] += record["dnsQueryCount"]
    if "dnsResponseCode" in record:
        talk.answers[answered(question, record["dnsResponseCode"], ends)] += 1
        if "responseTimeMicroseconds" in record:
            talk.dns_times[question].append(record["responseTimeMicroseconds"])


def sql_record(talk, record, _):
    talk.sql.append((record.get("databaseOperation"), record.get("databaseStatement"), record.get("databaseErrorCode")))


COMPARED = {"flow": flow_record, "http": http_record, "dns": dns_record, "sql": sql_record}


def of_tools(path):
    """Results of oracle.py, plain or compressed."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf8") as file:
        results = json.load(file)
    talks = defaultdict(Talk)
    for flow in results["flows"].values():
        ends = {way: end(flow[way]["ip"], flow[way]["port"]) for way in "ab"}
        talk = talks[pair(flow["proto"], ends["a"], ends["b"])]
        for way in ("a2b", "b2a"):
            tool_side(talk.sides[ends[way[0]]], flow["dir"][way])
        if flow["proto"] == "tcp":
            tool_handshakes(talk, flow)
        for protocol, said in (flow.get("l7") or {}).items():
            if protocol == "http":
                talk.http += [tool_http(t) for t in said]
            elif protocol in ("dns", "mdns", "llmnr"):
                tool_dns(talk, said, ends.values())
            elif protocol == "mysql":
                tool_mysql(talk, said)
    return talks


def tool_side(side, sent):
    side.packets += sent["packets"] + sent.get("fragment_packets", 0)
    side.octets += sent["bytes_ip"] + sent.get("fragment_bytes_ip", 0)
    if "seqspace" in sent:
        tcp.of_tool(side, sent)


def tool_handshakes(talk, flow):
    measured = {"rules": flow.get("handshake") or {}, "argus": flow.get("argus") or {}, "tshark": flow.get("tshark") or {}}
    for source, name in (("first", "from_first"), ("last", "from_last")):
        measured[source] = {f"{side}_side_s": measured["rules"].get(f"{side}_side_{name}_s") for side in SIDES}
    for source, told in measured.items():
        times = (told.get(f"{side}_side_s") for side in SIDES)
        talk.handshakes[source].append(tuple(None if seconds is None else seconds * 1e6 for seconds in times))


def tool_http(t):
    times = (t[field] * 1e6 if field in t else None for field in ("response_s", "total_s"))
    return (t.get("method"), t.get("host"), t.get("uri"), t.get("status")), *times


def tool_dns(talk, said, ends):
    for t in said:
        question = (int(t["id"], 16), t["qname"].lower() if "qname" in t else None,
                    int(t["qtype"]) if "qtype" in t else None)
        if not t.get("response_only"):
            talk.queries[question] += 1
        if "rcode" in t and "resp_frame" in t:
            talk.answers[answered(question, t["rcode"], ends)] += 1
            if "time_s" in t:
                talk.dns_times[question].append(t["time_s"] * 1e6)


def tool_mysql(talk, said):
    talk.sql += [(t["command"], t.get("query"), None) for t in said["requests"]]
    talk.sql += [("error", None, e["code"]) for e in said["errors"]]
