"""What a host refuses before anything begins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.playbooks.modules import cause, shared
from tests.playbooks.two_hosts import Two, tree

host = shared("kahn_host")
KILLED = """
import sys
from tests.playbooks.modules import shared
side = shared("kahn_host").Host({"asset": "srv-1", "part": "target", "root": sys.argv[1]})
side.prepare(None, {"people": {}, "groups": {}}, ["nginx"], [])
"""
"""A program that installs a package, as one that is killed meanwhile."""
NOBODY: dict[str, dict[str, object]] = {"people": {}, "groups": {}}


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Two:
    made = Two(tmp_path)
    monkeypatch.setenv("PATH", f"{made.programs}:{os.environ['PATH']}")
    return made


def a_side(root: Path, part: str = "source") -> object:
    return host.Host({"asset": "srv-1", "part": part, "root": str(root)})


def test_a_clock_that_is_off_and_a_disk_that_is_full_are_causes(two: Two) -> None:
    old, new = a_side(two.old), a_side(two.new, "target")
    assert cause(old.survey, None, time.time() - 400) == "clock_wrong"  # type: ignore[attr-defined]
    found = old.survey(None, time.time())  # type: ignore[attr-defined]
    huge = dict(found, bytes=1 << 60)
    assert cause(new.fit, None, time.time(), huge) == "not_enough_space"  # type: ignore[attr-defined]


def test_a_hole_weighs_nothing(two: Two) -> None:
    with (two.old / "srv/loch").open("wb") as sparse:
        sparse.truncate(4 << 30)
    assert a_side(two.old).survey(None, time.time())["bytes"] < 1 << 20  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "tops",
    [
        {"data": ["srv"], "configuration": ["etc/shadow"]},
        {"data": ["etc"], "configuration": []},
        {"data": ["var"], "configuration": []},
        {"data": ["var/lib/kahn"], "configuration": []},
        {"data": ["usr/bin"], "configuration": []},
        {"data": [], "configuration": ["usr/bin/sudo"]},
    ],
)
def test_what_is_never_carried_is_not_taken_either(two: Two, tops: dict[str, list[str]]) -> None:
    new = a_side(two.new, "target")
    assert cause(new.take, None, dict(tops, skip=[])) == "parcel_damaged"  # type: ignore[attr-defined]


class Line:
    """What another host sends."""

    def __init__(self, *records: dict[str, object]) -> None:
        self.records = records

    def arriving(self) -> Iterator[tuple[bytes, bytes]]:
        yield from ((b"R", json.dumps(one).encode()) for one in self.records)


@pytest.mark.parametrize("part", ["source", "target"])
@pytest.mark.parametrize("path", ["root/.ssh/authorized_keys", "root/.ssh"])
def test_nothing_below_a_folder_that_is_carried_opens_the_way_in_to_a_host(two: Two, part: str, path: str) -> None:
    """An old host in somebody else's hands leaves nothing out of what it sends."""
    record = {"p": path, "t": "l", "l": "/tmp/keys", "u": 0, "g": 0, "m": 0o777, "mt": 1}
    side, tops = a_side(two.new, part), {"data": ["root"], "configuration": [], "skip": []}
    sent: tuple[dict[str, object], ...] = ({"file": record}, {"gone": [path]})
    for told in sent:
        assert cause(side.take, Line(told), tops) == "parcel_damaged"  # type: ignore[attr-defined]
    assert (two.new / "root/.ssh/authorized_keys").read_text() == "key of neu\n"


@pytest.mark.parametrize("unit", ["ssh.service", "../../../root/x.service", "--now", "systemd-journald.service"])
def test_an_old_host_does_not_hold_back_what_belongs_to_the_new_one(two: Two, unit: str) -> None:
    new, accounts = a_side(two.new, "target"), NOBODY
    assert cause(new.prepare, None, accounts, [], [unit]) == "parcel_damaged"  # type: ignore[attr-defined]
    assert cause(new.fence, None, [unit]) == "parcel_damaged"  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["-oDir::Etc=/srv", "linux-image-amd64", "a b", "A"])
def test_names_of_packages_are_names_of_packages(two: Two, name: str) -> None:
    found = a_side(two.old).survey(None, time.time())  # type: ignore[attr-defined]
    new = a_side(two.new, "target")
    told = dict(found, packages={name: "1"})
    assert cause(new.fit, None, time.time(), told) == "parcel_damaged"  # type: ignore[attr-defined]


@pytest.fixture
def shop(two: Two) -> Path:
    """The list of what is installed on a host whose package programs keep one."""
    listed = two.place / "installed"
    listed.write_text("cron\n")
    each = f'[ $verb = install ] && echo "$one" >> {listed} || sed -i "/$one/d" {listed}'
    programs = {
        "dpkg-query": f"sed 's/$/\\t1\\tinstalled/' {listed}",
        "apt-get": "case $* in *--download-only*) exit 0;; esac; "
        f"verb=$1; shift; for one; do case $one in -*|Dpkg*) ;; *) {each};; esac; done",
    }
    folder = Path(two.programs)
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    (two.new / "usr/sbin").mkdir()
    return listed


def test_the_undo_takes_away_the_packages_that_came_and_none_that_people_installed_since(two: Two, shop: Path) -> None:
    new, accounts = a_side(two.new, "target"), NOBODY
    new.prepare(None, accounts, ["nginx"], [])  # type: ignore[attr-defined]
    with shop.open("a") as more:
        more.write("tcpdump\n")
    new.prepare(None, accounts, [], [])  # type: ignore[attr-defined]
    new.unprepare(None)  # type: ignore[attr-defined]
    assert shop.read_text().split() == ["cron", "tcpdump"]


def test_an_empty_database_goes_with_its_package_and_no_folder_of_anybody_else(two: Two, shop: Path) -> None:
    real = Path(two.programs) / "apt-get"
    text = real.read_text()
    real.write_text(text + f"mkdir -p {two.new}/var/lib/mysql/fresh\n")
    (two.new / "var/lib/own").mkdir()
    new = a_side(two.new, "target")
    new.prepare(None, NOBODY, ["mariadb-server"], [])  # type: ignore[attr-defined]
    (two.new / "var/lib/later").mkdir()
    new.prepare(None, NOBODY, [], [])  # type: ignore[attr-defined]
    real.write_text(text)
    new.unprepare(None)  # type: ignore[attr-defined]
    assert {one.name for one in (two.new / "var/lib").iterdir()} == {"dpkg", "kahn", "later", "own"}


def test_what_keeps_services_from_starting_goes_with_an_installation_that_died(two: Two, shop: Path) -> None:
    new, policy = a_side(two.new, "target"), two.new / "usr/sbin/policy-rc.d"
    new._note(packages_before=["cron"])  # type: ignore[attr-defined]
    policy.write_bytes(host.packages._POLICY)
    policy.with_name("policy-rc.d.before-kahn").write_text("of the host\n")
    new.unprepare(None)  # type: ignore[attr-defined]
    assert policy.read_text() == "of the host\n" and len(list(policy.parent.iterdir())) == 1


def a_systemd(two: Two) -> Path:
    """A host whose systemd knows the units that are named in a file; what is done with them is left out."""
    known = two.place / "units"
    known.write_text("cron.service\n")
    (two.new / "run/systemd/system").mkdir(parents=True)
    program = Path(two.programs) / "systemctl"
    program.write_text(f"#!/bin/sh\ncase $1 in list-*) cat {known};; is-active) exit 3;; esac\n")
    program.chmod(0o755)
    return known


def test_a_service_that_came_with_a_package_is_held_back_although_the_program_was_killed_right_then(
    two: Two, shop: Path
) -> None:
    known, accounts = a_systemd(two), NOBODY
    real = Path(two.programs) / "apt-get"
    real.write_text(real.read_text() + f"echo nginx.service >> {known}\nkill -9 $PPID\n")
    with subprocess.Popen([sys.executable, "-c", KILLED, str(two.new)], stderr=subprocess.PIPE) as killed:
        killed.communicate()
    assert killed.returncode == -9 and "nginx" in shop.read_text()
    a_side(two.new, "target").prepare(None, accounts, [], [])  # type: ignore[attr-defined]
    assert (two.new / "etc/systemd/system/nginx.service.d/kahn-barrier.conf").exists()
    assert not (two.new / "etc/systemd/system/cron.service.d").exists()


@pytest.mark.parametrize(("offered", "why"), [("", "no_package_lists"), ("nginx:\n  Candidate: 2", "packages_failed")])
def test_what_the_sources_do_not_give_is_known_before_anything_begins(two: Two, offered: str, why: str) -> None:
    folder = Path(two.programs)
    (folder / "apt-cache").write_text(f"#!/bin/sh\necho '{offered}'\n")
    (folder / "apt-get").write_text("#!/bin/sh\necho unmet dependencies; exit 100\n")
    (folder / "apt-get").chmod(0o755)
    seen = a_side(two.old).survey(None, time.time())  # type: ignore[attr-defined]
    found = dict(seen, packages={"nginx": "1"})
    before, new = tree(two.new), a_side(two.new, "target")
    assert cause(new.fit, None, time.time(), found) == why  # type: ignore[attr-defined]
    assert cause(new.prepare, None, NOBODY, ["nginx"], []) == "packages_failed"  # type: ignore[attr-defined]
    assert tree(two.new) == before


def test_another_series_of_a_database_is_refused_and_another_release_told(two: Two) -> None:
    (two.old / "etc/os-release").write_text('PRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\n')
    (two.new / "etc/os-release").write_text('PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')
    found = a_side(two.old).survey(None, time.time())  # type: ignore[attr-defined]
    new = a_side(two.new, "target")
    told = new.fit(None, time.time(), found)  # type: ignore[attr-defined]
    assert told["left_to_people"] == ["Debian GNU/Linux 11 (bullseye) there, Debian GNU/Linux 12 (bookworm) here"]
    (two.new / "var/lib/apt/lists").mkdir(parents=True)
    (two.new / "var/lib/apt/lists/mirror_Packages").touch()
    old_one = {"kind": "postgresql", "series": "13", "package": "postgresql-13"}
    asked = dict(found, databases=[old_one])
    assert cause(new.fit, None, time.time(), asked) == "database_version"  # type: ignore[attr-defined]
    hostile = dict(found, databases=[dict(old_one, package="-oDir=/")])
    assert cause(new.fit, None, time.time(), hostile) == "parcel_damaged"  # type: ignore[attr-defined]


def test_what_lay_in_a_folder_of_one_program_is_put_aside_where_the_old_host_has_it_not(two: Two) -> None:
    new, tops = a_side(two.new, "target"), {"data": ["srv", "var/lib/kasse"], "configuration": [], "skip": []}
    (two.new / "var/lib/kasse").mkdir()
    (two.new / "var/lib/kasse/fresh").write_text("of an empty database")
    new.take(Line(), tops)  # type: ignore[attr-defined]
    lying = new.lying(None, tops)["names"]  # type: ignore[attr-defined]
    lacking = a_side(two.old).lacks(None, lying)["names"]  # type: ignore[attr-defined]
    assert lacking == ["var/lib/kasse/fresh"] and "srv/schon da" not in lying
    new.put_aside(None, [*lacking, "etc/passwd"], tops)  # type: ignore[attr-defined]
    assert not (two.new / "var/lib/kasse/fresh").exists() and (two.new / "etc/passwd").exists()
    new.remove(None)  # type: ignore[attr-defined]
    assert (two.new / "var/lib/kasse/fresh").read_text() == "of an empty database"
