"""One cell's records against what the kernels of both ends say of themselves beyond TCP_INFO's counts of retransmissions: round
trips, what the senders waited for, and what made them send again. None of it is exact by definition, so each tolerance has its
reason."""
from .compare import reverse, turned

# The least round trip of the sender is that from the probe to either end together, if nothing moves in the queues between the two:
# it needs one segment whose both ways were the shortest, and the halves need samples. The ends' clocks and queues take the rest.
MIN_RTT_US = 500
# SRTT of the kernel is of the whole path, ours of the half behind the probe; both forget alike, but not at the same samples.
SRTT_PART, SRTT_US = 0.15, 2000
# A sender is busy until all is acknowledged: ours counts what the application had to say last as its own time, and the pauses
# behind it too. The kernel counts in ticks of up to 10 ms, and from its own end: what waits between it and the probe, or was
# lost there, is busy.
BUSY_PART, TICKS_US = 0.10, 20_000
# The probe hears of an opened window sooner than the sender, by the way between the two, in each stall. While anything is sent
# again we say that the network is waited for, the kernel the window if new data could not go.
RECEIVER_PART = 0.25
# Our kinds of retransmission are told by silences. A timer that a queue's acknowledgements meet is not told, nor is one whose
# silence another retransmission breaks: some, or one a connection where the delay changes. Of a simultaneous open the kernel takes
# the crossing of SYNs for half a round trip, so that its timers are early.
KINDS_PART, KINDS_STEADY, KINDS_UNSTEADY = 0.05, 2, 4

KEPT = ("TCPTimeouts", "TCPLossProbes", "TCPFastRetrans", "TCPSlowStartRetrans", "TCPSynRetrans", "TCPDSACKRecv")
WHOLE_TIME = ("bulk", "ecn", "zero_window")  # those that send without a pause from the first octet to the last


def wanted(counts):
    return {way: {name: kernel[name] for name in KEPT} for way, kernel in counts.items()}


def check(judge, reports, counts):
    """`counts`: TcpExt of both namespaces, by the way that their data goes."""
    for report in reports:
        judge_connection(judge, report)
    for way in counts or ():
        kinds(judge, way, counts[way])


def judge_connection(judge, report):
    up = report["local"].startswith(judge.client_address)
    ends = (report["local"], report["remote"]) if up else (report["remote"], report["local"])
    flows = judge.by_pair[ends]["flow"] + [turned(flow) for flow in judge.by_pair[ends[::-1]]["flow"]]
    if len(flows) != 1 or report["cut"]:
        return
    info, flow = report["info"], flows[0]
    far, near = ("Server", "Client") if up else ("Client", "Server")
    name_of = str if up else reverse
    where = f"{report['local']} (kernel)"

    def least(side):
        values = [flow.get(f"tcp{side}{what}Microseconds") for what in ("RttMin", "HandshakeRtt")]
        return min((v for v in values if v is not None), default=None)
    there, back = least(far), least(near)
    steady = judge.cell.steady and judge.cell.loss == "none"
    if steady and there is not None and back is not None and not judge.cell.workload.simultaneous:
        judge.near(where, "least round trip of both halves", info["min_rtt"], there + back, MIN_RTT_US)
        smoothed = flow.get(f"tcp{far}RttSmoothedMicroseconds")
        if smoothed is not None and judge.cell.talk in WHOLE_TIME:
            # The kernel's may be greater by as long as its machine was busy.
            most = info["rtt"] + SRTT_US + SRTT_PART * info["rtt"]
            judge.equal(where, f"tcp{far}RttSmoothedMicroseconds + least of the other half, {smoothed + back}, is at most {most}",
                        True, smoothed + back <= most)
    if judge.cell.talk in WHOLE_TIME and judge.cell.path != "bloat" and there is not None and back is not None:
        waits(judge, where, flow, name_of, info, there + back)


def waits(judge, where, flow, name_of, info, round_trip):
    got = [flow.get(name_of(f"tcp{who}LimitedMicroseconds")) for who in ("Congestion", "Application", "Receiver")]
    if None in got:
        return
    slack = TICKS_US + 2 * round_trip
    slack += BUSY_PART * info["busy_time"]
    most = sum(got) if judge.cell.loss == "none" else float("inf")
    judge.check_that(got[0] + got[2] - slack <= info["busy_time"] <= most + slack,
                     f"{where}: busy_time {info['busy_time']} is not from {got[0] + got[2]} to {most} ± {slack:.0f}")
    if flow.get(name_of("tcpRetransmittedPacketCount"), 0):
        return
    judge.near(where, name_of("tcpReceiverLimitedMicroseconds"), info["rwnd_limited"], got[2],
               slack + RECEIVER_PART * info["rwnd_limited"])


def kinds(judge, way, kernel):
    """Sums of all connections: the kernel has no counts by connection. Only if the tap saw all that was sent again, as the kernel
    counts it: segments that offloading does not merge, none lost before the tap or hidden."""
    connections = judge.truth["tcp"]
    sent_again = sum(c[way].get("retransmitted", 0) for c in connections)
    seen = sum(c[way].get("tap_retransmitted", 0) for c in connections)
    if judge.cell.talk == "tso" or seen != sent_again or not seen:
        return
    name_of = str if way == "up" else reverse
    ours = {name: sum(flow.get(name_of(name), 0) for c in connections for flow in judge.flows_of(c)) for name in
            ("tcpTimeoutRetransmissionPacketCount", "tcpTailProbePacketCount", "tcpRecoveryRetransmissionPacketCount")}
    recovery = kernel["TCPFastRetrans"] + kernel["TCPSlowStartRetrans"]
    steady = judge.cell.steady and not judge.cell.workload.simultaneous
    tolerance = max(KINDS_STEADY if steady else KINDS_UNSTEADY, KINDS_PART * seen)
    off = abs(ours["tcpRecoveryRetransmissionPacketCount"] - recovery)
    judge.figures["kinds"] += seen
    judge.figures["kinds_off"] += off
    judge.check_that(off <= tolerance, f"{way} (kernel): recovery sent {recovery} again and timers {seen - recovery}, got {ours}")
