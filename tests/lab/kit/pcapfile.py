"""Nanosecond pcap files as wire writes them: read, write, and the TCP fields that the lab looks at."""
import struct
from collections import namedtuple

HEADER = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)

Frame = namedtuple("Frame", "time data")
Segment = namedtuple("Segment", "time source source_port destination destination_port flags seq ack window payload")
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def read(path):
    """Frames with their time in nanoseconds since the epoch."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:4] != HEADER[:4]:
        raise ValueError(f"{path} is not a little-endian nanosecond pcap")
    at, frames = len(HEADER), []
    while at < len(data):
        seconds, nanos, length, _ = struct.unpack_from("<IIII", data, at)
        frames.append(Frame(seconds * 10**9 + nanos, data[at + 16:at + 16 + length]))
        at += 16 + length
    return frames


def write(path, frames):
    with open(path, "wb") as file:
        file.write(HEADER)
        for time, data in frames:
            file.write(struct.pack("<IIII", time // 10**9, time % 10**9, len(data), len(data)) + data)


def ip_part(data):
    """(version, protocol, source, destination, transport octets) or None if the frame is not IP."""
    ethertype = data[12:14]
    if ethertype == b"\x08\x00":
        header = (data[14] & 15) * 4
        total = struct.unpack_from("!H", data, 16)[0]
        address = [".".join(map(str, data[at:at + 4])) for at in (26, 30)]
        return 4, data[23], address[0], address[1], data[14 + header:14 + total]
    if ethertype == b"\x86\xdd":
        length = struct.unpack_from("!H", data, 18)[0]
        return 6, data[20], data[22:38].hex(), data[38:54].hex(), data[54:54 + length]
    return None


def segments(frames):
    for time, data in frames:
        ip = ip_part(data)
        if not ip or ip[1] != 6:
            continue
        _, _, source, destination, tcp = ip
        sp, dp, seq, ack, offset, flags, window = struct.unpack_from("!HHIIBBH", tcp)
        yield Segment(time, source, sp, destination, dp, flags, seq, ack, window, tcp[(offset >> 4) * 4:])
