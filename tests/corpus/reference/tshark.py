"""tshark run in a way that does not depend on anybody's profile: fields of packets, and dissected messages."""
import codecs
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

SEPARATOR = "\x1f"  # between several values of one field in one packet
TIMEOUT = 900
PREFERENCES = [
    "tcp.desegment_tcp_streams:TRUE", "tcp.reassemble_out_of_order:TRUE", "tcp.analyze_sequence_numbers:TRUE",
    "tcp.relative_sequence_numbers:FALSE", "tcp.check_checksum:FALSE", "tcp.track_bytes_in_flight:FALSE",
    "ip.defragment:TRUE", "ipv6.defragment:TRUE", "ip.check_checksum:FALSE", "http.desegment_headers:TRUE",
    "http.desegment_body:TRUE", "mysql.desegment_buffers:TRUE"]
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "TZ": "UTC", "XDG_CONFIG_HOME": "/nonexistent", "WIRESHARK_CONFIG_DIR": "/nonexistent"}


def command(path, *arguments):
    options = [word for preference in PREFERENCES for word in ("-o", preference)]
    return ["tshark", "-n", "-r", str(path), *options, *arguments]


def version():
    out = subprocess.run(["tshark", "-v"], capture_output=True, text=True, env=os.environ | ENVIRONMENT, check=True).stdout
    return re.search(r"TShark \(Wireshark\) (\S+)", out)[1]


def packets(path, fields, warnings):
    """Each packet as a dictionary of the fields' texts."""
    arguments = ["-2", "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=" + SEPARATOR]
    for field in fields:
        arguments += ["-e", field]
    run = subprocess.run(command(path, *arguments), capture_output=True, timeout=TIMEOUT, env=os.environ | ENVIRONMENT,
                         check=False)
    told = [line for line in run.stderr.decode("utf8", "replace").splitlines() if line and "Running as user" not in line]
    if run.returncode and not run.stdout:
        sys.exit(f"tshark: {'; '.join(told)}")
    if told:
        warnings.append(f"tshark: {'; '.join(told)[-300:]}")
    for line in run.stdout.decode("utf8", "replace").split("\n"):
        values = line.split("\t")
        if len(values) == len(fields):
            yield dict(zip(fields, values))


def messages(path, protocols, warnings):
    """(frame, protocol, XML element) of each message of these protocols."""
    wanted = sorted(protocols)
    with tempfile.TemporaryFile() as file:
        subprocess.run(command(path, "-T", "pdml", "-J", " ".join(["frame", *wanted]), "-Y", " or ".join(wanted)),
                       stdout=file, stderr=subprocess.DEVNULL, timeout=TIMEOUT, env=os.environ | ENVIRONMENT, check=False)
        file.seek(0)
        try:
            for _, packet in ET.iterparse(Clean(file), events=("end",)):
                if packet.tag == "packet":
                    yield from messages_of(packet, protocols)
                    packet.clear()
        except ET.ParseError as error:
            warnings.append(f"pdml: {error}")


def messages_of(packet, protocols):
    frame = None
    for protocol in packet:
        name = protocol.get("name")
        if name == "geninfo":
            frame = next(int(f.get("show")) for f in protocol if f.get("name") == "num")
        elif name in protocols and frame is not None:
            yield frame, name, protocol


class Clean:
    """A file without the control characters and the bad UTF-8 that tshark lets into its XML."""
    BAD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

    def __init__(self, file):
        self.file = file
        self.decoder = codecs.getincrementaldecoder("utf8")("replace")

    def read(self, size=-1):
        while True:
            octets = self.file.read(size if size > 0 else 1 << 20)
            text = self.BAD.sub("?", self.decoder.decode(octets, not octets))
            if text or not octets:
                return text.encode("utf8")
