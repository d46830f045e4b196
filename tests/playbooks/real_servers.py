"""A real server on lab hosts that moves as a whole: PostgreSQL, MariaDB, cron, a timer, and a mirror of packages."""

from __future__ import annotations

import hashlib
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.lab.base import base_path, default_cache, machine_suite
from orchestrator.lab.host import Host, HostSpec
from orchestrator.lab.lab import Lab, inventory_rows
from tests.scenarios.story import Story, a_place, a_policy, a_tenant, an_approved_wave, an_import, wait_until

DATABASES = ("cron", "mariadb-server", "postgresql")
PATIENCE_S = 400
MIRROR_PORT = 8800
PACE_S = 0.02
WORDS = {
    "postgresql": ("runuser", "-u", "postgres", "--", "psql", "-qtAX", "kasse"),
    "mariadb": ("mariadb", "--batch", "--skip-column-names", "--unbuffered", "kasse"),
}
SEED = {
    "postgresql": """
create role kasse login password 'geheim';
create table zahlung(n int, mark text, at timestamptz default now()); alter table zahlung owner to kasse;
insert into zahlung(n, mark) select -i, 'alt ÄÖÜß ' || i from generate_series(1, 2000) i;
create index on zahlung(mark); create sequence nummer start 4711;
""",
    "mariadb": """
create table zahlung(n int, mark varchar(80), at timestamp default current_timestamp) engine = innodb;
insert into zahlung(n, mark) select -seq, concat('alt ÄÖÜß ', seq) from seq_1_to_2000;
create user kasse@localhost identified by 'geheim'; grant all on kasse.* to kasse@localhost;
""",
}
WRITTEN = {"postgresql": "insert into zahlung(n) values (%d) returning n;\n",
           "mariadb": "insert into zahlung(n) values (%d); select %d;\n"}  # fmt: skip
NIGHT = "[Service]\nType=oneshot\nUser=kasse\nExecStart=/bin/sh -c 'echo nachts >> /srv/kasse/nachts'\n"
TIMER = "[Timer]\nOnCalendar=*:*:0/15\nAccuracySec=1s\nUnit=nachts.service\n[Install]\nWantedBy=timers.target\n"
JOBS = ("nachts", "nutzer", "system")
UNITS = ("cron.service", "mariadb.service", "nachts.timer", "postgresql.service", "postgresql@15-main.service")


def asked(host: Host, kind: str, sql: str) -> str:
    """What a database says."""
    return host.run(*WORDS[kind], stdin=sql).strip()


@dataclass
class Writer:
    """A user who writes numbered rows without a pause until nobody answers any more; `told` was acknowledged."""

    host: Host
    kind: str
    told: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        pipe = subprocess.PIPE
        self._program = subprocess.Popen(
            self.host.inside(*WORDS[self.kind]), stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
        )
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self) -> None:
        assert self._program.stdin is not None and self._program.stdout is not None
        with suppress(OSError):
            for number in range(1, 1_000_000):
                time.sleep(PACE_S)
                text = WRITTEN[self.kind]
                self._program.stdin.write(text.replace("%d", str(number)))
                self._program.stdin.flush()
                if self._program.stdout.readline().strip() != str(number):
                    return
                self.told.append(number)

    def ended(self) -> list[int]:
        """What was acknowledged, once the server was gone."""
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "nobody closed the database"
        with suppress(OSError):
            self._program.communicate(timeout=PATIENCE_S)
        return self.told


def debs(names: Sequence[str]) -> Path:
    """A folder with these packages and all that they need on a plain lab host, fetched once."""
    base = base_path(default_cache(), machine_suite())
    status = (base / "var/lib/dpkg/status").read_bytes()
    key = hashlib.sha256(status + " ".join(names).encode()).hexdigest()[:12]
    folder = default_cache() / f"debs-{key}"
    part = folder.with_suffix(".part")
    if not folder.is_dir():
        (part / "partial").mkdir(parents=True, exist_ok=True)
        options = {
            "Dir::State::status": base / "var/lib/dpkg/status",
            "Dir::State::extended_states": "/dev/null",
            "Dir::Cache::archives": part,
            "Debug::NoLocking": "1",
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        subprocess.run(["apt-get", "update", "-qq"], check=True, capture_output=True, timeout=PATIENCE_S)
        fetched = ["apt-get", "-y", "-qq", "--download-only", "--no-install-recommends", *words, "install", *names]
        subprocess.run(fetched, check=True, capture_output=True, timeout=PATIENCE_S)
        part.rename(folder)
    return folder


def a_mirror(host: Host, folder: Path) -> None:
    """The host gives out the packages of a folder by HTTP."""
    shelf, listed = host.root / "srv/mirror", []
    shelf.mkdir(parents=True)
    for one in sorted(folder.glob("*.deb")):
        content = one.read_bytes()
        (shelf / one.name).write_bytes(content)
        told = subprocess.run(["dpkg-deb", "-f", one], check=True, capture_output=True, text=True).stdout.rstrip()
        listed.append(
            f"{told}\nFilename: ./{one.name}\nSize: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n"
        )
    (shelf / "Packages").write_text("\n".join(listed))
    serve_mirror(host)


def serve_mirror(host: Host) -> None:
    """Its server of packages begins."""
    words = f"setsid python3 -B -m http.server {MIRROR_PORT} --directory /srv/mirror </dev/null >/dev/null 2>&1 &"
    host.run("sh", "-c", words)
    probe = f"import urllib.request as u; print(u.urlopen('http://127.0.0.1:{MIRROR_PORT}/Packages').status)"
    wait_until(lambda: "200" in host.run("sh", "-c", f'python3 -c "{probe}" 2>&1 || true'), every_s=0.5)


def asks_mirror(host: Host, mirror: Host) -> None:
    """The host's own and only source of packages."""
    for one in (host.root / "etc/apt").rglob("*.sources"):
        one.unlink()
    line = f"deb [trusted=yes] http://{mirror.address}:{MIRROR_PORT}/ ./\n"
    (host.root / "etc/apt/sources.list").write_text(line)
    host.run("apt-get", "update", "-qq")


def furnish(host: Host) -> None:
    """Databases with rows, jobs of a user and of the system, a timer, an account, and addresses in configuration."""
    wait_until(lambda: "yes" in host.run("sh", "-c", "mariadb -e 'select 1' >/dev/null 2>&1 && echo yes || true"),
               within_s=PATIENCE_S, every_s=0.5)  # fmt: skip
    wait_until(lambda: "yes" in host.run("sh", "-c", "runuser -u postgres psql -- -qc 'select 1' && echo yes || true"),
               within_s=PATIENCE_S, every_s=0.5)  # fmt: skip
    host.run("runuser", "-u", "postgres", "--", "createdb", "kasse")
    host.run("mariadb", "-e", "create database kasse")
    for kind, sql in SEED.items():
        asked(host, kind, sql)
    host.run("useradd", "--create-home", "--uid", "1990", "kasse")
    (host.root / "srv/kasse").mkdir()
    host.run("chown", "kasse:", "/srv/kasse")
    host.run("crontab", "-u", "kasse", "-", stdin="* * * * * echo nutzer >> /srv/kasse/nutzer\n")
    (host.root / "etc/cron.d/kasse").write_text("* * * * * kasse echo system >> /srv/kasse/system\n")
    conf = host.root / "etc/postgresql/15/main/conf.d/stadt.conf"
    conf.write_text(f"listen_addresses = 'localhost,{host.address}'\n")
    (host.root / "etc/systemd/system/nachts.service").write_text(NIGHT)
    (host.root / "etc/systemd/system/nachts.timer").write_text(TIMER)
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "enable", "--now", "--quiet", "nachts.timer")
    host.run("systemctl", "restart", "postgresql")


def ready(host: Host) -> None:
    """Its systemd has come to rest."""
    said = ("sh", "-c", "systemctl is-system-running || true")
    wait_until(lambda: host.run(*said).strip() in ("running", "degraded"), within_s=PATIENCE_S, every_s=0.5)


def a_server_town(place: Path, lab: Lab, *, tenant: str) -> Story:
    """The old server with its databases, a plain new one with a mirror beside it, and wave W01 approved."""
    old = HostSpec(name="alt-1", kind="server", init="systemd", disk_mib=3072, packages=DATABASES, successor="rz-1")
    vault = HostSpec(name="vault", kind="server", role="vault", disk_mib=1024)
    lab.up(tenant=tenant, specs=(vault, old, HostSpec(name="rz-1", kind="server", init="systemd", disk_mib=3072)))
    story = a_place(place, lab, tenant=tenant)
    for name in ("alt-1", "rz-1"):
        ready(story.host(name))
    a_mirror(story.host("vault"), debs(DATABASES))
    asks_mirror(story.host("rz-1"), story.host("vault"))
    furnish(story.host("alt-1"))
    text = a_policy(contacts="[]").replace("[[window]]", '[runbooks]\nserver = "rehost-server"\n[[window]]')
    a_tenant(story, policy=text)
    an_import(story, inventory_rows(lab.access(tenant)))
    an_approved_wave(story)
    return story
