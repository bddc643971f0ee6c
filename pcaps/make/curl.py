"""curl as a client that says what it measured."""
import json
import subprocess

HOST = "www.shop.example"
FIELDS = ("method", "url_effective", "response_code", "local_port", "num_connects", "size_download", "size_upload",
          "time_connect", "time_pretransfer", "time_starttransfer", "time_total")


def curl(world, *requests, host="10.99.0.2", check=True):
    """Each request is a list of curl's arguments, the last its path; one process, so connections are kept alive."""
    command = ["curl"]
    for i, request in enumerate(requests):
        *options, path = request if isinstance(request, (list, tuple)) else [request]
        command += ["--next"] * (i > 0) + ["-sS", "-o", "/dev/null", "-w", "%{json}\n", "--connect-to",
                                           f"{HOST}:80:{host}:80", *options, f"http://{HOST}{path}"]
    said = [json.loads(line) for line in world.client(command, check=check).splitlines()]
    return [{key: line[key] for key in FIELDS if key in line} for line in said]


def version():
    return " ".join(subprocess.run(["curl", "--version"], capture_output=True, text=True).stdout.split()[:2])
