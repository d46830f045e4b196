"""rehost-server on two real hosts with systemd and packages: forward, hit by a full disk, and back."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from orchestrator.adapters.runbooks import SHIPPED
from orchestrator.core.runbook import Direction
from orchestrator.core.trial import Tried
from orchestrator.lab.host import Host
from orchestrator.lab.lab import Lab
from orchestrator.wiring_trial import trial_of
from tests.labs import lab
from tests.playbooks.seats import Seats
from tests.playbooks.two_hosts import HOSTILE
from tests.scenarios.outside import differences, walked
from tests.waiting import until

__all__ = ["lab"]
pytestmark = pytest.mark.lab
UNIT = """[Unit]
Description=Kasse
[Service]
ExecStart=/usr/bin/python3 -B -m http.server --directory /srv/kasse 8080
User=kasse
[Install]
WantedBy=multi-user.target
"""
TIMER = """[Unit]
Description=Kasse at night
[Timer]
OnCalendar=daily
Unit=kasse.service
[Install]
WantedBy=timers.target
"""
LEFT = (
    "new /var/lib/kahn", "new /var/lib/kahn/*", "* /var/log", "* /var/log/*", "* /var/cache/*", "* /var/cache",
    "new /etc/.pwd.lock", "* /var/lib/systemd*", "* /var/lib/dpkg*", "* /var/lib/apt*", "* /tmp*", "* /var/tmp*",
    "* /etc/ld.so.cache", "mtime_ns /etc", "mtime_ns /etc/systemd/system*", "mtime_ns /etc/passwd",
    "mtime_ns /etc/shadow", "mtime_ns /etc/group", "mtime_ns /etc/gshadow", "mtime_ns /srv",
    "mtime_ns /var/lib", "mtime_ns /usr/sbin",
    "mtime_ns /",
)  # fmt: skip
"""What may differ in the end: Kahn's notes, logs, the books of packages, times of folders and account files."""


class Servers(Seats):
    """A pair of hosts with a real systemd each."""

    INIT = "systemd"
    DISK_MIB = 512


def a_package(folder: Path, version: str) -> Path:
    """A package with one configuration file, as dpkg makes it."""
    made = folder / f"kahn-probe-{version}"
    (made / "DEBIAN").mkdir(parents=True)
    (made / "etc/kahn-probe").mkdir(parents=True)
    (made / "etc/kahn-probe/probe.conf").write_text("level=1\n")
    (made / "DEBIAN/conffiles").write_text("/etc/kahn-probe/probe.conf\n")
    control = f"Package: kahn-probe\nVersion: {version}\nArchitecture: all\nMaintainer: Kahn <kahn@stadt.example>\n"
    (made / "DEBIAN/control").write_text(control + "Description: made for a test\n")
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-b", made, folder / f"{version}.deb"], check=True, capture_output=True
    )
    return folder / f"{version}.deb"


def a_source(host: Host, package: Path) -> None:
    """The host's own source of packages: a folder of its own, and no other."""
    shelf = host.root / "opt/quelle"
    shelf.mkdir()
    content = package.read_bytes()
    (shelf / "probe.deb").write_bytes(content)
    told = subprocess.run(["dpkg-deb", "-f", package], check=True, capture_output=True, text=True).stdout.rstrip()
    more = f"Filename: ./probe.deb\nSize: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n"
    (shelf / "Packages").write_text(f"{told}\n{more}")
    for one in (host.root / "etc/apt").rglob("*.sources"):
        one.unlink()
    (host.root / "etc/apt/sources.list").write_text("deb [trusted=yes] file:/opt/quelle ./\n")
    host.run("apt-get", "update", "-q")


def a_server(host: Host, package: Path) -> None:
    """A server with a service, its account, its data under hostile names, a timer, and a package of the town's."""
    (host.root / "opt/probe.deb").write_bytes(package.read_bytes())
    host.run("dpkg", "-i", "/opt/probe.deb")
    (host.root / "opt/probe.deb").unlink()
    (host.root / "etc/kahn-probe/probe.conf").write_text(f"level=2\nserver={host.address}\n")
    host.run("useradd", "--system", "--no-create-home", "--uid", "990", "kasse")
    (host.root / "srv/kasse").mkdir()
    for name in HOSTILE:
        (host.root / "srv/kasse" / name).write_text(name)
    host.run("chown", "-R", "kasse:", "/srv/kasse")
    (host.root / "etc/systemd/system/kasse.service").write_text(UNIT)
    (host.root / "etc/systemd/system/kasse-nachts.timer").write_text(TIMER)
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "enable", "--now", "--quiet", "kasse.service", "kasse-nachts.timer")


def told_by(host: Host, *units: str) -> list[str]:
    """How each unit stands: active and enabled."""
    return [
        host.run("sh", "-c", f"systemctl {verb} {one} || true").strip()
        for one in units
        for verb in ("is-active", "is-enabled")
    ]


def is_up(host: Host) -> bool:
    """Whether its systemd has come to rest."""
    return host.run("sh", "-c", "systemctl is-system-running || true").strip() in ("running", "degraded")


@contextmanager
def held_lock(host: Host) -> Iterator[None]:
    """Within: somebody works with the packages of the host."""
    words = "import fcntl; f=open('/var/lib/dpkg/lock-frontend','r+b'); fcntl.lockf(f,2); print(1,flush=True); input()"
    held = subprocess.Popen(host.inside("python3", "-c", words), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert held.stdout is not None and held.stdout.readline()
    yield
    held.communicate(b"\n")


UNITS = ("kasse.service", "kasse-nachts.timer")
RUNS, OFF = ["active", "enabled"] * 2, ["inactive", "enabled"] * 2


def test_a_server_moves_with_all_that_belongs_to_it_and_comes_back(lab: Lab, tmp_path: Path) -> None:
    seats = Servers(lab, tenant="server", count=1, state=tmp_path, runbook="rehost-server")
    old, new = seats.old(1), seats.new(1)
    for host in (old, new):
        until(partial(is_up, host))
    a_server(old, a_package(tmp_path, "1.0"))
    a_source(new, a_package(tmp_path, "2.0"))
    before = walked(new.root)
    seats.must("", 1, direction=Direction.BASELINE)

    filler = new.root / "srv/voll"
    with filler.open("wb") as opened, suppress(OSError):
        while True:
            opened.write(bytes(1 << 20))
    assert seats.play("look", 1)[1].evidence["kahn"]["cause"] == "not_enough_space"
    filler.unlink()
    with held_lock(new):
        assert [seats.play(step, 1)[1].evidence["kahn"]["cause"] for step in ("look", "prepare")] == [
            "package_lock"
        ] * 2
    look = seats.must("look", 1)[1].evidence["kahn"]
    assert look["install"] == ["kahn-probe"] and look["other_version"]["kahn-probe"] == ["1.0", "2.0"]
    assert {"/etc/kahn-probe/probe.conf", "/etc/systemd/system/kasse.service"} <= set(look["configuration"])
    assert set(UNITS) <= set(look["services"]) and "ssh.service" not in look["services"]
    for step in ("prepare", "first-copy"):
        seats.must(step, 1)
    assert told_by(old, *UNITS) == RUNS and told_by(new, UNITS[0])[0] == "inactive"
    (old.root / "srv/kasse/nach der ersten Kopie").write_text("x")

    seats.must("cut-over", 1)
    assert (told_by(old, *UNITS), told_by(new, *UNITS)) == (OFF, RUNS)
    assert sorted(path.name for path in (new.root / "srv/kasse").iterdir()) == sorted(
        [*HOSTILE, "nach der ersten Kopie"]
    )
    assert (new.root / "srv/kasse" / HOSTILE[0]).stat().st_uid == 990
    assert (new.root / "etc/kahn-probe/probe.conf").read_text() == f"level=2\nserver={new.address}\n"
    assert (
        new.run("hostname").strip() == old.name
        and (new.root / "etc/ssh/ssh_host_ed25519_key").read_text()
        != (old.root / "etc/ssh/ssh_host_ed25519_key").read_text()
    )
    assert new.run("dpkg-query", "-W", "-f", "${Version}", "kahn-probe") == "2.0"
    assert seats.must("cut-over", 1)[1].kind == "done"  # again, as after a controller that was killed

    (new.root / "srv/kasse/auf dem neuen").write_text("y")
    for step in ("cut-over", "first-copy", "prepare"):
        seats.must(step, 1, direction=Direction.UNDO)
    assert told_by(old, *UNITS) == RUNS and (old.root / "srv/kasse/auf dem neuen").read_text() == "y"
    same = seats.must("", 1, direction=Direction.COMPARE)[1].evidence["kahn"]
    assert same["baseline"] == same["now"], same["differences"]
    assert differences(before, walked(new.root), allowed=LEFT) == []


@pytest.mark.long
def test_every_step_can_be_taken_back_wherever_it_is_disturbed(lab: Lab, tmp_path: Path) -> None:
    trial = trial_of(SHIPPED / "rehost-server", lab=lab, state=tmp_path, tell=lambda _text: None).run()
    assert trial.passed, trial
    tried = {one.step for one in trial.steps if one.forward.verdict is Tried.WELL}
    assert tried == {"look", "prepare", "first-copy", "cut-over"} and trial.back.verdict is Tried.WELL
