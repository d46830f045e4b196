"""A procedure made up for lab hosts: an application with documents and a SQLite database behind a small gateway."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from orchestrator.core.procedures import PartnerSettings, ProcedureSettings
from orchestrator.lab.errors import LabToolFailed
from orchestrator.lab.host import Host, HostSpec
from orchestrator.lab.picture import Picture

APP = """
import http.server, json, os, signal, sqlite3, sys
conf = dict(line.strip().split("=", 1) for line in open(sys.argv[1]) if "=" in line)
class App(http.server.BaseHTTPRequestHandler):
    def answer(self, code, body):
        data = json.dumps(body).encode()
        self.send_response(code); self.send_header("Content-Length", str(len(data))); self.end_headers()
        self.wfile.write(data)
    def db(self):
        made = sqlite3.connect(conf["database"], timeout=5); made.execute("pragma journal_mode=wal"); return made
    def do_GET(self):
        db = self.db()
        found = db.execute("select count(*), coalesce(sum(amount), 0) from payment").fetchone()
        db.close()
        docs = len(os.listdir(conf["docs"]))
        self.answer(200, {"site": conf["site"], "payments": found[0], "sum": found[1], "docs": docs})
    def do_POST(self):
        mark = self.rfile.read(int(self.headers["Content-Length"])).decode()
        db = self.db()
        with db: db.execute("insert into payment(mark, amount) values (?, 1)", (mark,))
        db.close()
        with open(os.path.join(conf["docs"], "Bescheid " + mark), "w") as opened: opened.write(mark)
        self.answer(201, {"site": conf["site"]})
    def log_message(self, *words): pass
class Server(http.server.ThreadingHTTPServer):
    daemon_threads = False
    request_queue_size = 64
server = Server((conf["address"], int(conf["port"])), App)
def stop(*_):
    import threading; threading.Thread(target=server.shutdown).start()
signal.signal(signal.SIGTERM, stop)
open(conf["pid"], "w").write(str(os.getpid()))
server.serve_forever()
server.server_close()
os.unlink(conf["pid"])
"""
"""Answers GET with counts and POST by one row and one document; ends cleanly when it is told to."""

RELAY = """
import socket, sys, threading
def pump(one, other):
    try:
        while (piece := one.recv(65536)): other.sendall(piece)
    except OSError: pass
    try: other.shutdown(socket.SHUT_WR)
    except OSError: pass
def serve(client):
    try:
        where = open(sys.argv[1]).read().split()[1].rstrip(";").removeprefix("http://")
        address, port = where.rsplit(":", 1)
        there = socket.create_connection((address, int(port)), 2)
    except (OSError, IndexError, ValueError): client.close(); return
    back = threading.Thread(target=pump, args=(there, client)); back.start(); pump(client, there); back.join()
    client.close(); there.close()
here = socket.create_server(("", int(sys.argv[2])), backlog=128)
while True:
    threading.Thread(target=serve, args=(here.accept()[0],), daemon=True).start()
"""
"""A gateway: leads each new connection to where its file says then."""
DATA, CONFIGURATION, JOB = "/srv/wohngeld", "/etc/wohngeld.conf", "/etc/cron.d/wohngeld"
DATABASE = DATA + "/wohngeld.db"
UNIT = "/etc/systemd/system/wohngeld.service"
UNIT_TEXT = """[Unit]
Description=Wohngeld
[Service]
ExecStart=/usr/bin/python3 -B /opt/wohngeld/app.py /etc/wohngeld.conf
User=wohngeld
RuntimeDirectory=wohngeld
[Install]
WantedBy=multi-user.target
"""
OLD, NEW, GATE = "alt-0001", "rz-0001", "gate"
PARTNER, POINTS_HERE = "kasse", "/etc/kasse.conf"
"""A machine of another procedure, and its file that names the old server; both a file and the port are tried there."""
PORT, GATE_PORT = 8080, 9001
PATIENCE_S = 120.0
FILL = r"""
import os, sqlite3, struct, sys
top = sys.argv[1]; docs = top + "/docs"; os.makedirs(docs)
database = sqlite3.connect(top + "/wohngeld.db")
database.execute("pragma journal_mode=wal")
database.execute("create table person(id integer primary key autoincrement, name text, born date)")
database.execute("create table payment(id integer primary key autoincrement, mark text, amount real)")
with database:
    people = ((f"Name {n} ÄÖÜß", "1960-01-01") for n in range(300))
    database.executemany("insert into person(name, born) values (?, ?)", people)
    database.executemany("insert into payment(mark, amount) values (?, ?)", ((f"alt {n}", n % 900) for n in range(300)))
database.close()
def acl(number):
    entries = ((1, 7, 2**32 - 1), (2, 5, number), (4, 5, 2**32 - 1), (16, 5, 2**32 - 1), (32, 0, 2**32 - 1))
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *one) for one in entries)
for number in range(30):
    with open(f"{docs}/Akte {number}.pdf", "wb") as opened: opened.write(number.to_bytes(4, "big") * 1000)
for name in ("Bescheid für Müller.txt", "u\u0308ber NFD", "mit \"Anführung\" und\nZeile", "$(touch kahn-was-here)"):
    with open(docs + "/" + name, "w") as opened: opened.write(name)
with open(docs + "/loch.img", "wb") as opened:
    opened.truncate(16 * 2**20); opened.seek(2**20); opened.write(b"in der Mitte")
os.link(docs + "/loch.img", docs + "/zweiter Name")
os.symlink("loch.img", docs + "/verweis")
os.makedirs(top + "/kasse"); os.setxattr(top + "/kasse", "system.posix_acl_default", acl(990))
with open(top + "/kasse/geerbt", "w") as opened: opened.write("mit ACL")
os.chmod(top + "/kasse", 0o2770)
"""
"""Makes the data: two tables, documents with names that hurt, a file with holes, links, a folder with ACLs."""
DATABASE_SEEN = """
import hashlib, json, os, shutil, sqlite3, sys, tempfile
found = {}
if os.path.exists(sys.argv[1]):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as place:
        for end in ("", "-wal"):
            if os.path.exists(sys.argv[1] + end): shutil.copyfile(sys.argv[1] + end, place + "/copy" + end)
        database = sqlite3.connect(place + "/copy")
        schema = database.execute("select type, name, sql from sqlite_master order by 1, 2").fetchall()
        found["schema"] = [len(schema), hashlib.sha256(repr(schema).encode()).hexdigest()]
        tables = [one[1] for one in schema if one[0] == "table"]
        for table in tables:
            rows = sorted(map(repr, database.execute(f'select * from "{table}"')))
            found["table " + table] = [len(rows), hashlib.sha256("\\n".join(rows).encode()).hexdigest()]
        database.close()
print(json.dumps(found))
"""
"""Tells every table's rows and a digest that does not depend on their order; looks at a copy, disturbs nothing."""
ASK = """
import json, sys, urllib.request
with urllib.request.urlopen(sys.argv[1], timeout=5) as answer: print(json.dumps(json.load(answer), sort_keys=True))
"""

HostOf = Callable[[str], Host]


def procedure_specs() -> tuple[HostSpec, ...]:
    """Old and new server with a real systemd, the gateway, and a machine of another procedure that leads here."""
    return (
        HostSpec(name=PARTNER, kind="server", disk_mib=64),
        HostSpec(name=GATE, kind="server", role="gateway", disk_mib=256),
        HostSpec(name=OLD, kind="server", init="systemd", disk_mib=512, successor=NEW),
        HostSpec(name=NEW, kind="server", init="systemd", disk_mib=512),
    )


def procedure_settings() -> ProcedureSettings:
    """The procedure as a policy would describe it."""
    return ProcedureSettings(
        name="Wohngeld",
        data=(DATA,),
        databases=(DATABASE,),
        programs=("/opt/wohngeld", CONFIGURATION, UNIT),
        configuration=(CONFIGURATION,),
        replace=(("site=alt", "site=rz"),),
        jobs=(JOB,),
        user="wohngeld",
        unit="wohngeld.service",
        port=PORT,
        path="/",
        expect="payments",
        gateway_file="/etc/relay/target",
        gateway_line="proxy_pass http://{address}:8080;",
        gateway_reload=("true",),
        gateway_port=GATE_PORT,
        switch_files=("/etc/relay/zone",),
        switch_reload=("true",),
        quiet_begin=("sh", "-c", "echo begin >>/var/log/downtime"),
        quiet_end=("sh", "-c", "echo end >>/var/log/downtime"),
        points_here=(
            PartnerSettings(machine=PARTNER, files=(POINTS_HERE,), reload=("sh", "-c", "echo read >>/var/log/kasse")),
        ),
    )


def furnish(host: HostOf) -> None:
    """The old server runs the procedure and the gateway leads to it. Raises LabToolFailed."""
    old, gate = host(OLD), host(GATE)
    for server in (old, host(NEW)):
        (server.root / "etc/cron.d").mkdir(exist_ok=True)
    old.run("useradd", "--system", "--no-create-home", "--uid", "990", "wohngeld")
    old.run("python3", "-c", FILL, DATA)
    _write(old, "/opt/wohngeld/app.py", APP)
    configuration = ("port=8080", f"database={DATABASE}", f"docs={DATA}/docs", "pid=/run/wohngeld/pid", "site=alt")
    _write(old, CONFIGURATION, "\n".join((f"address={old.address}", *configuration, "")))
    _write(old, UNIT, UNIT_TEXT)
    _write(old, JOB, "* * * * * wohngeld true\n")
    old.run("chown", "-R", "-h", "wohngeld:wohngeld", DATA)
    old.run("systemctl", "daemon-reload")
    old.run("systemctl", "enable", "--now", "--quiet", "wohngeld.service")
    _write(gate, "/etc/relay/target", f"proxy_pass http://{old.address}:8080;\n")
    _write(gate, "/etc/relay/zone", f"wohngeld IN A {old.address}\nother IN A {old.address}9\n")
    _write(gate, "/opt/relay.py", RELAY)
    (host(PARTNER).root / POINTS_HERE.lstrip("/")).write_text(f"url=http://{old.address}:8080/\nother={old.address}9\n")
    start = f"setsid python3 -B /opt/relay.py /etc/relay/target {GATE_PORT} </dev/null >/dev/null 2>&1 &"
    gate.run("sh", "-c", start)
    _answer(gate, tries_s=PATIENCE_S)


def _write(host: Host, path: str, text: str) -> None:
    place = host.root / path.lstrip("/")
    place.parent.mkdir(exist_ok=True)
    place.write_text(text)


def _answer(gate: Host, *, tries_s: float) -> str:
    """What a user at the gateway is answered; asked again until it is. Raises LabToolFailed."""
    until = time.monotonic() + tries_s
    while True:
        try:
            return gate.run("python3", "-c", ASK, f"http://127.0.0.1:{GATE_PORT}/").strip()
        except LabToolFailed:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def look_beyond(host: HostOf) -> dict[str, Picture]:
    """What files do not show: rows of the databases, the unit's state, and what users at the gateway are answered."""
    found = {name: _of_server(host(name)) for name in (OLD, NEW)}
    try:
        answer = _answer(host(GATE), tries_s=10)
    except LabToolFailed:
        answer = "silent"
    return {**found, GATE: {"answer at the gateway": (answer,)}}


def _of_server(server: Host) -> Picture:
    told = json.loads(server.run("python3", "-c", DATABASE_SEEN, DATABASE))
    found: Picture = {f"database {DATABASE} {name}": tuple(seen) for name, seen in told.items()}
    for asked in ("is-active", "is-enabled"):
        said = server.run("sh", "-c", f"systemctl {asked} wohngeld.service 2>/dev/null || true").strip()
        found[f"wohngeld.service {asked}"] = (said,)
    return found


SEEN_OTHERWISE = (DATABASE, DATABASE + "-wal", DATABASE + "-shm")
"""Files whose bytes differ without any difference in what they hold; their rows are compared."""
