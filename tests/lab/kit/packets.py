"""Frames made by hand: TCP segments, UDP datagrams and their fragments over IPv4. Checksums are 0: nobody looks at them."""
import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
MACS = b"\x02\0\0\0\0\2\x02\0\0\0\0\1"


def address(text):
    return bytes(map(int, text.split(".")))


def ipv4(source, destination, protocol, payload, identification=0, offset=0, more=False):
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), identification, (0x2000 if more else 0) | offset // 8, 64,
                         protocol, 0, address(source), address(destination))
    return MACS + b"\x08\x00" + header + payload


def udp(source, source_port, destination, destination_port, payload):
    return ipv4(source, destination, 17, datagram(source_port, destination_port, payload))


def datagram(source_port, destination_port, payload):
    return struct.pack("!HHHH", source_port, destination_port, 8 + len(payload), 0) + payload


def fragments(source, destination, identification, octets, size):
    """Of a datagram's octets behind the IP header; `size` is a multiple of 8."""
    return [ipv4(source, destination, 17, octets[at:at + size], identification, at, at + size < len(octets))
            for at in range(0, len(octets), size)]


class Connection:
    """Segments of one TCP connection, each direction from sequence number 1000 on."""

    def __init__(self, client, client_port, server, server_port):
        self.ends = ((client, client_port), (server, server_port))
        self.next = [1000, 1000]

    def segment(self, sender, flags, payload=b"", sequence=None):
        (source, source_port), (destination, destination_port) = self.ends[sender], self.ends[1 - sender]
        at = self.next[sender] if sequence is None else sequence
        header = struct.pack("!HHIIBBHHH", source_port, destination_port, at, self.next[1 - sender] if flags & ACK else 0, 5 << 4,
                             flags, 65535, 0, 0)
        if sequence is None:
            self.next[sender] += len(payload) + bool(flags & (SYN | FIN))
        return ipv4(source, destination, 6, header + payload)

    def handshake(self):
        return [self.segment(0, SYN), self.segment(1, SYN | ACK), self.segment(0, ACK)]

    def say(self, sender, octets):
        return self.segment(sender, PSH | ACK, octets)

    def out_of_order(self, sender, octets, size):
        """All segments of these octets, the first one last."""
        begin = self.next[sender]
        pieces = [self.segment(sender, ACK, octets[at:at + size], begin + at) for at in range(0, len(octets), size)]
        self.next[sender] += len(octets)
        return pieces[1:], pieces[0]

    def end(self):
        return [self.segment(0, FIN | ACK), self.segment(1, FIN | ACK), self.segment(0, ACK)]
