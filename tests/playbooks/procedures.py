"""A procedure made up for tests: an application with a SQLite database, and three roots that stand for machines."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.lab.made_up_procedure import APP, RELAY
from tests.waiting import until

__all__ = ["APP", "RELAY"]
DATA, CONFIGURATION, JOB = "/srv/wohngeld", "/etc/wohngeld.conf", "/etc/cron.d/wohngeld"
DATABASE = DATA + "/wohngeld.db"
HOSTILE_NAMES = ("Bescheid für Müller.txt", 'mit "Anführung" und\nZeile', "u\u0308ber NFD", "$(touch kahn-was-here)")


def settings(**changed: Any) -> dict[str, Any]:
    """A procedure's settings as a playbook gets them."""
    empty: dict[str, Any] = dict.fromkeys(("user", "unit", "host"), "") | {
        "quiet_begin": [],
        "quiet_end": [],
        "postgresql": [],
        "reaches": [],
        "postgresql_port": 5432,
        "postgresql_programs": "",
        "postgresql_account": "postgres",
        "mariadb": [],
        "replace": [],
    }
    return {
        **empty,
        "data": [DATA],
        "programs": [CONFIGURATION],
        "databases": [DATABASE],
        "configuration": [CONFIGURATION],
        "jobs": [JOB],
        "path": "/",
        "expect": "payments",
        **changed,
    }


def kept_port(*addresses: str) -> tuple[int, list[socket.socket]]:
    """A port at these addresses, and what keeps it: bound and never listening, so that a program may listen there.

    That is so on Linux when both allow their address to be used again, as servers of Python do.
    """
    while True:
        kept = [socket.socket() for _ in addresses]
        port = 0
        try:
            for one, address in zip(kept, addresses, strict=True):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                one.bind((address, port))
                port = int(one.getsockname()[1])
        except OSError:
            for one in kept:
                one.close()
            continue
        return port, kept


def fill(root: Path, *, rows: int, documents: int, size: int = 2000) -> None:
    """Data of the procedure below a root: rows in two tables, documents, a sparse file, names that hurt."""
    docs = root / DATA.lstrip("/") / "docs"
    docs.mkdir(parents=True)
    database = sqlite3.connect(root / DATABASE.lstrip("/"))
    database.execute("pragma journal_mode=wal")
    database.execute("create table person(id integer primary key autoincrement, name text, born date)")
    database.execute("create table payment(id integer primary key autoincrement, mark text, amount real)")
    with database:
        people = ((f"Name {n} ÄÖÜß", "1960-01-01") for n in range(rows // 2))
        database.executemany("insert into person(name, born) values (?, ?)", people)
        database.executemany(
            "insert into payment(mark, amount) values (?, ?)", ((f"alt {n}", n % 900) for n in range(rows // 2))
        )
    database.close()
    for number in range(documents):
        (docs / f"Akte {number}.pdf").write_bytes(number.to_bytes(4, "big") * (size // 4))
    for name in HOSTILE_NAMES:
        (docs / name).write_text(name)
    with (docs / "loch.img").open("wb") as opened:
        opened.truncate(64 * 1024 * 1024)
        opened.seek(8 * 1024 * 1024)
        opened.write(b"in der Mitte")
    os.link(docs / "loch.img", docs / "zweiter Name")
    os.symlink("loch.img", docs / "verweis")


@dataclass
class Trio:
    """Three roots on this machine that stand for the old server, the new one and the gateway; real programs run."""

    place: Path
    rows: int = 60
    documents: int = 5
    changed: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, list[str]] = field(default_factory=dict)
    """More words of the environment, by role."""

    def __post_init__(self) -> None:
        self.old, self.new, self.gate = (self.place / name for name in ("old", "new", "gate"))
        for root in (self.old, self.new, self.gate):
            for name in ("etc/cron.d", "srv", "var/lib", "run", "tmp"):
                (root / name).mkdir(parents=True)
        self.port, kept = kept_port("127.0.0.2", "127.0.0.3")
        self.gate_port, of_gate = kept_port("")
        self._kept = [*kept, *of_gate]
        fill(self.old, rows=self.rows, documents=self.documents)
        (self.place / "app.py").write_text(APP)
        (self.place / "relay.py").write_text(RELAY)
        (self.old / JOB.lstrip("/")).write_text("* * * * * root true\n")
        data = self.old / DATA.lstrip("/")
        (self.old / CONFIGURATION.lstrip("/")).write_text(
            f"address=127.0.0.2\nport={self.port}\ndatabase={data}/wohngeld.db\ndocs={data}/docs\n"
            f"pid={self.old}/run/app.pid\nsite={self.old.name}\nother=127.0.0.20\n"
        )
        (self.gate / "etc/target").write_text(self._line("127.0.0.2"))
        (self.gate / "etc/zone").write_text("wohngeld 60 IN A 127.0.0.2\nother IN A 127.0.0.20\n")
        self.changed = {"replace": [[f"{self.old}/", f"{self.new}/"], ["site=old", "site=new"]], **self.changed}

    def _line(self, address: str) -> str:
        return f"proxy_pass http://{address}:{self.port};\n"

    @property
    def asked(self) -> dict[str, Any]:
        """What the module is asked with, but for the state."""
        app = f'exec {sys.executable} {self.place}/app.py "$SIDE{CONFIGURATION}"'
        service = {
            "start": ["sh", "-c", f"setsid sh -c '{app}' </dev/null >/dev/null 2>&1 &"],
            "stop": ["sh", "-c", 'kill -TERM "$(cat $SIDE/run/app.pid)"'],
            "running": ["sh", "-c", 'kill -0 "$(cat $SIDE/run/app.pid)"'],
        }
        gateway = {
            "gateway_file": "/etc/target",
            "gateway_line": self._line("{address}").strip(),
            "gateway_reload": ["true"],
            "switch_files": ["/etc/zone"],
            "switch_reload": ["sh", "-c", "grep -c 'A 127.0.0' $SIDE/etc/zone >/dev/null"],
        }
        ports = {"port": self.port, "gateway_port": self.gate_port}
        roots = {"source": self.old, "target": self.new, "gateway": self.gate}
        return {
            "asset": "srv-1",
            "tries": 3,
            "settings": settings(**service, **gateway, **ports, **self.changed),
            "ssh": {
                role: ["env", f"SIDE={root}", *self.environment.get(role, []), "sh", "-c"]
                for role, root in roots.items()
            },
            "machines": {"source": {"address": "127.0.0.2"}, "target": {"address": "127.0.0.3"}},
        }

    @property
    def roots(self) -> dict[str, str]:
        return {"source": str(self.old), "target": str(self.new), "gateway": str(self.gate)}

    def run(self, *argv: str, side: Path) -> int:
        """Run one of the service's commands on a side."""
        return subprocess.run(argv, env={**os.environ, "SIDE": str(side)}, stdin=subprocess.DEVNULL).returncode

    def __enter__(self) -> Trio:
        """Relay and application are up."""
        relay = [sys.executable, str(self.place / "relay.py"), str(self.gate / "etc/target"), str(self.gate_port)]
        self.run(*self.asked["settings"]["start"], side=self.old)
        self._relay = subprocess.Popen(relay)
        until(lambda: self.seen() == "old" or self._relay.poll() is not None)
        assert self._relay.poll() is None, "the relay ended by itself"
        return self

    def __exit__(self, *what: object) -> None:
        self._relay.kill()
        self._relay.wait()
        for side in (self.old, self.new):
            pid = side / "run/app.pid"
            with suppress(OSError, ValueError):
                os.kill(int(pid.read_text()), signal.SIGKILL)
        for one in self._kept:
            one.close()

    def wait_for(self, site: str) -> None:
        """Wait until users reach that side."""
        until(lambda: self.seen() == site)

    def seen(self) -> str:
        """Which side answers users, or nothing."""
        return str(self.answer().get("site", ""))

    def answer(self) -> dict[str, Any]:
        """What a user sees, or nothing."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.gate_port}/", timeout=5) as answer:
                return dict(json.load(answer))
        except (OSError, ValueError, http.client.HTTPException):
            return {}

    def write(self, mark: str) -> bool:
        """A user writes; whether it was acknowledged."""
        asked = urllib.request.Request(f"http://127.0.0.1:{self.gate_port}/", data=mark.encode(), method="POST")
        try:
            with urllib.request.urlopen(asked, timeout=5) as answer:
                return bool(answer.status == 201)
        except (OSError, http.client.HTTPException):
            return False

    def marks(self, side: Path) -> list[str]:
        """What users wrote, as the database of a side has it."""
        database = sqlite3.connect(side / DATABASE.lstrip("/"))
        found = [row[0] for row in database.execute("select mark from payment where mark not like 'alt %' order by 1")]
        database.close()
        return found


def tree(root: Path) -> dict[str, tuple[object, ...]]:
    """Every file below a root with mode, time and content; without Kahn's own notes and what runs. Own code."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if name.startswith(("var/lib/kahn", "run/")) or name.endswith(("-wal", "-shm", ".pwd.lock")):
            continue
        entry = path.lstat()
        content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        stamp = entry.st_mtime_ns if path.is_file() else 0
        found[name] = (
            entry.st_mode,
            entry.st_uid,
            entry.st_gid,
            stamp,
            entry.st_nlink if path.is_file() else 0,
            content,
        )
    return found
