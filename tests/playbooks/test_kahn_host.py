"""What a host refuses before anything begins."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.playbooks.modules import cause, shared
from tests.playbooks.two_hosts import Two

host = shared("kahn_host")
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
        "apt-get": f"verb=$1; shift; for one; do case $one in -*|Dpkg*) ;; *) {each};; esac; done",
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


def test_what_keeps_services_from_starting_goes_with_an_installation_that_died(two: Two, shop: Path) -> None:
    new, policy = a_side(two.new, "target"), two.new / "usr/sbin/policy-rc.d"
    new._note(packages_before=["cron"])  # type: ignore[attr-defined]
    policy.write_bytes(host.packages._POLICY)
    policy.with_name("policy-rc.d.before-kahn").write_text("of the host\n")
    new.unprepare(None)  # type: ignore[attr-defined]
    assert policy.read_text() == "of the host\n" and len(list(policy.parent.iterdir())) == 1
