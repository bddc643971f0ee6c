"""One cell's records against the wire's log and the kernel's TCP_INFO."""
from collections import Counter

from . import detail, kernel, pairs, truth
from .compare import Comparison, reverse
from .tcp_info import CLOSED
from .world import CLIENT, CLIENT6

RTT_MIN_US, RTT_MEAN = 200, 0.02
SIDES = {"up": "Server", "down": "Client"}  # data of "up" is acknowledged by the server
# docs/METRICS.md
MID_STREAM, HANDSHAKE_REPEATED, TRACKER_FULL, TIME_DISORDER, COPY_IN_DOUBT, REPEAT_HIDDEN = (1 << n for n in (0, 3, 7, 9, 17, 19))
# Marks under which a value may be wrong, by what the value's name contains.
EXCUSES = (("Handshake", MID_STREAM | HANDSHAKE_REPEATED), ("Retransm", TRACKER_FULL | TIME_DISORDER), ("OutOfOrder", TRACKER_FULL | TIME_DISORDER),
           ("CaptureLoss", TRACKER_FULL), ("SpuriousRetr", COPY_IN_DOUBT), ("Rtt", TRACKER_FULL | TIME_DISORDER))


def facts_of(events, identifications=None):
    def more(entry, ways):
        for way, other in (("up", "down"), ("down", "up")):
            entry[way]["rtt_samples_ns"] = pairs.samples(ways[way], ways[other])
            entry[way]["detail"] = detail.events(ways[way], ways[other], identifications) | {
                "tcpSynRetryCount": detail.syn_retries(ways[way]),
                "tcpAcknowledgedOctetCount": detail.acknowledged(ways[way], ways[other]),
                "tcpInFlightMaxOctets": detail.in_flight_most(ways[way], ways[other])}
        entry["state"] = detail.state(ways["up"], ways["down"])
    return truth.truth_of(events, more=more)


class CellJudge(Comparison):
    def __init__(self, cell, facts, records, reports, counts=None):
        """`counts`: what the kernels count, see kernel.check()."""
        super().__init__(facts, records)
        self.cell, self.reports, self.counts = cell, reports, counts
        self.client_address = f"[{CLIENT6}]:" if cell.ipv6 else f"{CLIENT}:"
        self.marked, self.doubts = [], []  # excused by a quality mark; where the truths contradict each other
        self.figures = {"rtt_min_off_us": 0.0, "rtt_mean_off": 0.0, "samples": 0, "samples_true": 0,
                        "hidden_marked": 0, "hidden_silent": 0, "marked_in_vain": 0,
                        "kinds": 0, "kinds_off": 0}

    def run(self):
        for connection in self.truth["tcp"]:
            before = len(self.faults)
            self.connection(connection)
            self.detail(connection)
            self.excuse(before, connection)
            self.hidden(connection)
        self.kernels()
        kernel.check(self, self.reports, self.counts)
        return self

    def check_that(self, holds, complaint):
        self.checks += 1
        if not holds:
            self.faults.append(complaint)

    def excuse(self, since, connection):
        quality = 0
        for flow in self.flows_of(connection):
            quality |= flow["measurementQuality"]
        undecided = quality & HANDSHAKE_REPEATED and any(connection[way].get("tap_undecided") for way in SIDES)
        for fault in self.faults[since:]:
            excused = any(part in fault and quality & bits for part, bits in EXCUSES)
            if excused or (undecided and "RetransmittedPacketCount" in fault):
                self.faults.remove(fault)
                self.marked.append(fault)

    def hidden(self, c):
        """What was sent again and looks new or overtaken must be marked; the first SYN that passes shows nothing at all."""
        counts = Counter()
        for way in SIDES:
            counts.update({key: c[way].get(f"tap_looks_{key}", 0) for key in ("new", "new_syn", "new_synack", "reordered")})
        data = counts["new"] + counts["reordered"] - counts["new_syn"] - counts["new_synack"]
        quality = 0
        for flow in self.flows_of(c):
            quality |= flow["measurementQuality"]
        marked = bool(quality & REPEAT_HIDDEN)
        if data or counts["new_synack"]:
            self.figures["hidden_marked"] += marked
            wanted = REPEAT_HIDDEN | (0 if data else HANDSHAKE_REPEATED)
            if not quality & wanted and (self.cell.ipv6 or self.acknowledgements_lost(c)):
                self.figures["hidden_silent"] += 1
                return
            self.equal(c["client"], "the mark of what was sent again and hides", True, bool(quality & wanted))
        else:
            self.figures["marked_in_vain"] += marked
            self.figures["hidden_silent"] += bool(counts["new_syn"])

    @staticmethod
    def acknowledgements_lost(c):
        """Whether identifications of a sender were missing so often that they may be others', docs/METRICS.md."""
        lost = Counter(e[2] for e in c["events"] if e[:2] == ["drop", "before"] and e[5] == 0 and not set("SFR") & set(e[6]))
        return any(c[way].get("tap_looks_new") and lost[way] > 1 for way in SIDES)

    def round_trips(self, where, c, flow):
        for way, side in SIDES.items():
            self.handshake_time(where, c, flow, side)
            self.data_times(where, c[way]["rtt_samples_ns"], flow, f"tcp{side}Rtt")

    def detail(self, c):
        """Elements of metrics.tcp_detail; those that a record lacks are those that docs/METRICS.md lets it lack."""
        flows = self.flows_of(c)
        if len(flows) != 1:
            return
        for way, name_of in (("up", str), ("down", reverse)):
            for name, expected in c[way]["detail"].items():
                got = flows[0].get(name_of(name))
                if c[way].get("tap_undecided") and name in ("tcpSynRetryCount", "tcpNetworkDuplicatePacketCount"):
                    continue
                if got is not None and expected is not None:
                    self.equal(c["client"], name_of(name), expected, got)
        if c["state"] and "tcpConnectionState" in flows[0] and not c["handshake"].get("simultaneous"):
            self.equal(c["client"], "tcpConnectionState", c["state"], flows[0]["tcpConnectionState"])

    def handshake_time(self, where, c, flow, side):
        handshake, name = c["handshake"], f"tcp{side}HandshakeRttMicroseconds"
        got = flow.get(name)
        if handshake.get("simultaneous"):
            return self.equal(where, f"{name} of a simultaneous open", None, got)
        expected = handshake.get(f"{side.lower()}_rtt_ns")
        doubtful = got is None or flow["measurementQuality"] & HANDSHAKE_REPEATED
        if expected is None or (handshake["repeated"] and doubtful):
            return None
        return self.near(where, name, expected / 1000, got, RTT_MIN_US)

    def data_times(self, where, samples, flow, prefix):
        count = flow.get(f"{prefix}Count", 0)
        self.figures["samples"] += count
        self.figures["samples_true"] += len(samples)
        if not samples:
            # All of the samples are then of segments that the log shows to be ambiguous.
            self.equal(where, f"{prefix}Count", 0, count)
            return
        least, mean = min(samples) / 1000, sum(samples) / len(samples) / 1000
        self.near(where, f"{prefix}MinMicroseconds", least, flow.get(f"{prefix}MinMicroseconds"), RTT_MIN_US)
        self.near(where, f"{prefix}MeanMicroseconds ({count} of {len(samples)} samples)", mean,
                  flow.get(f"{prefix}MeanMicroseconds"), max(1, mean * RTT_MEAN))
        if count:
            off = abs(flow[f"{prefix}MinMicroseconds"] - least)
            self.figures["rtt_min_off_us"] = max(self.figures["rtt_min_off_us"], off)
            self.figures["rtt_mean_off"] = max(self.figures["rtt_mean_off"],
                                               abs(flow[f"{prefix}MeanMicroseconds"] - mean) / mean)

    # ---- the kernels: two truths that know nothing of each other must agree

    def kernels(self):
        by_ends = {(c["client"], c["server"]): c for c in self.truth["tcp"]}
        for report in self.reports:
            up = report["local"].startswith(self.client_address)
            ends = (report["local"], report["remote"]) if up else (report["remote"], report["local"])
            c = by_ends.get(ends)
            if c is None:
                self.doubts.append(f"{report['local']}: the log has no connection to {report['remote']}")
                continue
            self.kernel(report, c["up" if up else "down"])

    def kernel(self, report, way):
        info = report["info"]
        if info["state"] != CLOSED and not report["cut"]:
            return  # it went on after it was asked
        pairs_ = [("bytes_retrans", way.get("retransmitted_octets", 0))]
        if self.cell.talk != "tso":  # counts what it would have sent one by one
            pairs_.append(("total_retrans", way.get("retransmitted", 0)))
        for name, logged in pairs_:
            if info[name] != logged and not (report["cut"] and info[name] < logged):  # it went on until it was closed
                self.doubts.append(f"{report['local']}: {name} is {info[name]}, the log has {logged}")

    # ---- what to show

    def total(self, key):
        return sum(c[way].get(key, 0) for c in self.truth["tcp"] for way in ("up", "down"))

    def verdict(self):
        if self.faults:
            return "OFF"
        if self.doubts:
            return "TRUTHS DIFFER"
        if not self.checks:
            return "NOTHING CHECKED"
        return "marked" if self.marked else "ok"
