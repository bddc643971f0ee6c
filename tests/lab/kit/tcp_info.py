"""What the kernel says about one of its TCP connections (struct tcp_info of linux/tcp.h), by the kernel's own names."""
import socket
import struct

FIELDS = (
    ("B", "state ca_state retransmits probes backoff options window_scales flags"),
    ("I", "rto ato snd_mss rcv_mss unacked sacked lost retrans fackets last_data_sent last_ack_sent last_data_recv "
          "last_ack_recv pmtu rcv_ssthresh rtt rttvar snd_ssthresh snd_cwnd advmss reordering rcv_rtt rcv_space total_retrans"),
    ("Q", "pacing_rate max_pacing_rate bytes_acked bytes_received"),
    ("I", "segs_out segs_in notsent_bytes min_rtt data_segs_in data_segs_out"),
    ("Q", "delivery_rate busy_time rwnd_limited sndbuf_limited"),
    ("I", "delivered delivered_ce"),
    ("Q", "bytes_sent bytes_retrans"),
    ("I", "dsack_dups reord_seen rcv_ooopack snd_wnd"),
)
NAMES = [name for _, names in FIELDS for name in names.split()]
LAYOUT = struct.Struct("=" + "".join(kind * len(names.split()) for kind, names in FIELDS))
CLOSED = 7  # TCP_CLOSE of enum in include/net/tcp_states.h


def tcp_info(connection):
    """All fields; an older kernel that knows fewer is told apart from one that counts 0."""
    octets = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 512)
    if len(octets) < LAYOUT.size:
        raise OSError(f"this kernel's tcp_info has {len(octets)} octets, {LAYOUT.size} are needed (Linux 5.5)")
    return dict(zip(NAMES, LAYOUT.unpack_from(octets)))
