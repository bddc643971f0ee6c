"""Real servers in namespace b of a World, each with a private directory, and what they say they did."""
import json
import os
import subprocess
import time

from .world import SERVER, SERVER6, wait_until

NGINX_LOG = ("time $msec", "client $remote_addr:$remote_port", "connection_request $connection_requests",
             "method $request_method", "target $request_uri", "version $server_protocol", "status $status",
             "octets_sent $bytes_sent", "body_octets $body_bytes_sent", "request_octets $request_length",
             "request_time $request_time", "upstream_time $upstream_response_time", "host $http_host",
             "user_agent $http_user_agent", "referer $http_referer", "forwarded_for $http_x_forwarded_for",
             "content_type $sent_http_content_type", "request_body $http_content_length", "expect $http_expect")
NUMBERS = {"time", "connection_request", "status", "octets_sent", "body_octets", "request_octets", "request_time",
           "upstream_time", "request_body"}

NGINX_CONF = """
daemon off; user root; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/error.log warn;
events {{ worker_connections 256; }}
http {{
  include /etc/nginx/mime.types; default_type application/octet-stream;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/fcgi;
  uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  log_format truth escape=json '{log}';
  access_log {dir}/access.log truth;
  server_tokens off; tcp_nodelay on; keepalive_timeout 65s; client_max_body_size 8m;
  server {{
    listen {ipv4}:80; {ipv6}
    root {dir}/www;
    {locations}
  }}
}}
"""


class Nginx:
    def __init__(self, world, locations=""):
        self.world = world
        self.dir = world.path("nginx")
        os.makedirs(f"{self.dir}/www", exist_ok=True)
        log = "{" + ",".join('"{}":"{}"'.format(*field.split(" ", 1)) for field in NGINX_LOG) + "}"
        with open(f"{self.dir}/nginx.conf", "w") as conf:
            conf.write(NGINX_CONF.format(dir=self.dir, log=log, locations=locations, ipv4=SERVER,
                                         ipv6=f"listen [{SERVER6}]:80;" if world.ipv6 else ""))
        self.process = world.serve(["nginx", "-p", self.dir, "-e", f"{self.dir}/error.log", "-c",
                                    f"{self.dir}/nginx.conf"], 80)

    def file(self, name, octets):
        with open(f"{self.dir}/www/{name}", "wb") as out:
            out.write(octets if isinstance(octets, bytes) else octets.encode())

    def log(self):
        with open(f"{self.dir}/access.log") as lines:
            entries = [json.loads(line) for line in lines]
        for entry in entries:
            address, _, port = entry["client"].rpartition(":")
            if ":" in address:
                entry["client"] = f"[{address}]:{port}"
            for key, value in list(entry.items()):
                if value == "":
                    del entry[key]
                elif key in NUMBERS:
                    entry[key] = float(value) if "." in value else int(value)
        return entries

    @staticmethod
    def version():
        return subprocess.run(["nginx", "-v"], capture_output=True, text=True).stderr.strip().split(": ")[-1]


class Mariadb:
    PORT = 3306

    def __init__(self, world, setup="", options=()):
        self.world = world
        self.dir = world.path("mariadb")
        os.makedirs(self.dir)
        self.socket = f"{self.dir}/socket"
        subprocess.run(["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal",
                        "--skip-test-db", "--user=root", f"--datadir={self.dir}/data"], check=True, capture_output=True)
        with open(f"{self.dir}/error.log", "w") as errors:
            self.process = world.serve(
                ["mariadbd", "--no-defaults", "--user=root", f"--datadir={self.dir}/data", f"--socket={self.socket}",
                 f"--pid-file={self.dir}/pid", f"--bind-address={SERVER}", f"--port={self.PORT}", "--skip-name-resolve",
                 "--log-output=TABLE", "--local-infile=1", "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M",
                 *options], self.PORT, stdout=errors, stderr=errors)
        wait_until(lambda: os.path.exists(self.socket), "mariadb's socket")
        self.sql(setup)
        self.sql("SET GLOBAL long_query_time=0; SET GLOBAL slow_query_log=1; SET GLOBAL general_log=1;")

    def sql(self, text):
        """By the unix socket, which does not cross the wire."""
        return subprocess.run(["mariadb", "--no-defaults", f"--socket={self.socket}", "-uroot", "-BN", "--raw"], input=text,
                              check=True, capture_output=True, text=True).stdout

    def log(self):
        """Commands of clients beyond the wire in the order of arrival; times in seconds as the server took them."""
        time.sleep(0.1)
        self.sql("SET GLOBAL general_log=0; SET GLOBAL slow_query_log=0;")
        general = self.sql("SELECT JSON_OBJECT('time', event_time, 'thread', thread_id, 'command', command_type, 'text', "
                           "CONVERT(argument USING utf8mb4)) FROM mysql.general_log WHERE user_host NOT LIKE '%localhost%' "
                           "ORDER BY event_time")
        slow = self.sql("SELECT JSON_OBJECT('time', start_time, 'thread', thread_id, 'query_time', TIME_TO_SEC(query_time), "
                        "'rows_sent', rows_sent, 'rows_affected', rows_affected, 'db', db, 'text', "
                        "CONVERT(sql_text USING utf8mb4)) FROM mysql.slow_log WHERE user_host NOT LIKE '%localhost%' "
                        "ORDER BY start_time")
        return {kind: [json.loads(line) for line in text.splitlines()]
                for kind, text in (("general", general), ("slow", slow))}

    @staticmethod
    def version():
        text = subprocess.run(["mariadbd", "--version"], capture_output=True, text=True).stdout
        return "MariaDB " + text.split("Ver ")[-1].split(" for")[0]


UNBOUND_CONF = """
server:
  interface: {address}
  access-control: 10.99.0.0/24 allow
  directory: "{dir}"
  chroot: "" username: "" pidfile: "{dir}/pid" use-syslog: no logfile: "{dir}/log"
  log-time-ascii: no verbosity: 0 log-queries: yes log-replies: yes log-tag-queryreply: yes
  do-ip6: no edns-buffer-size: 1232 max-udp-size: 1232 num-threads: 1 module-config: "iterator"
  {server}
remote-control:
  control-enable: no
auth-zone:
  name: "{zone}"
  zonefile: "{dir}/zone" for-downstream: yes for-upstream: yes fallback-enabled: no
"""


class Unbound:
    def __init__(self, world, zone, records, server=""):
        self.world = world
        self.dir = world.path("unbound")
        os.makedirs(self.dir)
        with open(f"{self.dir}/zone", "w") as out:
            out.write(records)
        with open(f"{self.dir}/unbound.conf", "w") as out:
            out.write(UNBOUND_CONF.format(address=SERVER, dir=self.dir, zone=zone, server=server))
        self.process = world.serve(["unbound", "-d", "-c", f"{self.dir}/unbound.conf"], 53, "udp")

    def log(self):
        """Queries and replies as unbound wrote them: [epoch seconds, "query" or "reply", words…]."""
        out = []
        with open(f"{self.dir}/log") as lines:
            for line in lines:
                head, _, rest = line.partition("] unbound[")
                tag, _, words = rest.partition("] ")[2].partition(": ")
                if tag in ("query", "reply"):
                    out.append([int(head[1:]), tag, *words.split()])
        return out

    @staticmethod
    def version():
        return "unbound " + subprocess.run(["unbound", "-V"], capture_output=True, text=True).stdout.split()[1]


class Ngtcp2:
    """HTTP/3 over QUIC."""
    PORT = 4433

    def __init__(self, world, *options):
        self.dir = world.path("quic")
        os.makedirs(f"{self.dir}/www")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", f"{self.dir}/key", "-out", f"{self.dir}/certificate", "-subj", "/CN=quic.lab.example"],
                       check=True, capture_output=True)
        self.process = world.serve(["gtlsserver", "-q", "-d", f"{self.dir}/www", *options, SERVER, str(self.PORT),
                                    f"{self.dir}/key", f"{self.dir}/certificate"], self.PORT, "udp")

    def file(self, name, octets):
        with open(f"{self.dir}/www/{name}", "wb") as out:
            out.write(bytes(octets))
