"""The probe's records of RTP streams against what the wire did and what both ends' RTP sessions (GStreamer) counted."""
SSRC_BASE = 0x10000000  # plus the sender's port: rtp_endpoint.py
EARLY_US, LATE_US = 100, 3_000  # of a round trip against the wire's delays: LSR and DLSR have 15 us, a busy machine more
CAPTURE_LOSS = 1 << 5  # quality bits, docs/METRICS.md


def check(comparison, truth, records):
    ends = truth["client"]["rtp"]
    for who, other, way in (("client", "server", "up"), ("server", "client", "down")):
        ssrc = SSRC_BASE + ends[who]["options"]["local"]
        of_stream = [r for r in records if r["rtpSsrc"] == ssrc]
        media = [r for r in of_stream if "rtpPacketCount" in r]
        reports = [r for r in of_stream if "rtcpReportCount" in r]
        where = f"rtp of the {who}"
        comparison.equal(where, "records with media", 1, len(media))
        comparison.equal(where, "records with reports", 1, len(reports))
        if len(media) == len(reports) == 1:
            one(comparison, where, truth, way, ends[other], media[0], reports[0])


def one(comparison, where, truth, way, receiver, media, reports):
    wire, session = truth["wire"], receiver["session"]["remote"]
    pair = next(u for u in truth["udp"] if u["client"].endswith(":5004"))[way]
    missed = any(e[0] == "miss" for u in truth["udp"] for e in u["events"])
    comparison.equal(where, "capture loss", missed, bool(media["transactionQuality"] & CAPTURE_LOSS))
    if not missed:
        dropped = pair.get("dropped_before", 0)
        comparison.equal(where, "lost before the tap", dropped, media["rtpLostPacketCount"])
        comparison.equal(where, "sent", session["sr-packet-count"], media["rtpExpectedPacketCount"])
        if not receiver["options"]["mux"]:
            comparison.equal(where, "packets", pair["tap_packets"], media["rtpPacketCount"])
            comparison.equal(where, "duplicates", pair["tap_packets"] - pair["sent"] + dropped,
                             media["rtpDuplicatePacketCount"])
    comparison.equal(where, "packets by the sender's word", session["sr-packet-count"], reports["rtcpSenderPacketCount"])
    comparison.equal(where, "lost by the receiver's word", max(0, session["sent-rb-packetslost"]),
                     reports["rtcpLostPacketCount"])
    if session["clock-rate"] > 0 and "rtcpJitterMaxMicroseconds" in reports:
        comparison.equal(where, "no less jitter than the last report's", True,
                         reports["rtcpJitterMaxMicroseconds"] >= session["sent-rb-jitter"] * 1_000_000 // session["clock-rate"])
    if "jitter" not in " ".join(wire["options"]):
        delay = 2000 * wire["server_delay_ms" if way == "up" else "client_delay_ms"]
        comparison.near(where, "round trip to the receiver", delay + (LATE_US - EARLY_US) / 2,
                        reports.get("rtcpReceiverRttMeanMicroseconds"), (LATE_US + EARLY_US) / 2)
        both = 2000 * (wire["server_delay_ms"] + wire["client_delay_ms"])
        measured = session.get("rb-round-trip", 0) * 1_000_000 / 65536  # by the receiver, of its own reports
        comparison.near(where, "round trip of the path", measured or both + LATE_US / 2,
                        reports.get("rtcpRttMicroseconds"), LATE_US)
