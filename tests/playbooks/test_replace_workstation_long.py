"""replace-workstation on machines that are not fit: each gets its cause, nothing is half-done, undo works."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.core.outcome import Outcome
from orchestrator.core.runbook import Direction
from orchestrator.lab.host import Host
from orchestrator.lab.lab import Lab
from orchestrator.lab.seed import seed_user_files
from tests.labs import lab
from tests.playbooks import hostile
from tests.playbooks.seats import Picture, Seats, below, picture, unlike
from tests.waiting import until

__all__ = ["lab"]
pytestmark = [pytest.mark.lab, pytest.mark.long]
STEPS = ("preflight", "prepare-successor", "save", "lock-old", "restore", "compare")
HOLDS = (
    "import fcntl, sys, time; opened = open('/var/lib/dpkg/lock-frontend', 'a');"
    "fcntl.lockf(opened, fcntl.LOCK_EX); print(1, flush=True); sys.stdin.read()"
)
LARGE = 4 * 2**30


FILM = 200 * 2**20


class Roomy(Seats):
    """Disks with room for what is carried, and never for a file of four GiB that were no hole."""

    DISK_MIB = 640


@pytest.fixture(scope="module")
def seats(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seats]:
    """1: hostile names and a file of 4 GiB; 2: machines that are not fit; 3: a vault that disappears."""
    made = Roomy(lab, tenant="unfit", count=3, state=tmp_path_factory.mktemp("state"))
    for seat in (1, 2, 3):
        people = seed_user_files(made.old(seat), seed=seat, files=6, users=1)
        home = made.old(seat).root / people[0].home.lstrip("/")
        if seat == 1:
            hostile.fill(home, uid=people[0].uid)
            with (home / "Abbild.img").open("wb") as opened:
                opened.truncate(LARGE + 1)
                opened.seek(2**31)
                opened.write(b"in der Mitte")
        if seat == 3:
            (home / "Film.mkv").write_bytes(os.urandom(FILM))
    made.must("", 1, 2, 3, direction=Direction.BASELINE)
    yield made


def pictures(seats: Seats, seat: int) -> dict[str, Picture]:
    return {"old": picture(seats.old(seat), all_times=True), "new": picture(seats.new(seat))}


def changed(before: dict[str, Picture], after: dict[str, Picture]) -> dict[str, list[str]]:
    return {name: unlike(shot, after[name]) for name, shot in before.items()}


def test_a_file_of_four_gib_with_holes_moves_beside_names_that_hurt_while_packages_are_locked(seats: Seats) -> None:
    before = pictures(seats, 1)
    held = [
        subprocess.Popen(host.inside("python3", "-c", HOLDS), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for host in (seats.old(1), seats.new(1))
    ]
    assert all(one.stdout and one.stdout.readline() for one in held)
    for step in STEPS:
        seats.must(step, 1)
    moved = pictures(seats, 1)
    (name,) = (one for one in moved["new"] if one.endswith("/Abbild.img"))
    assert moved["new"][name] == moved["old"][name] and moved["new"][name][3] == LARGE + 1
    assert (seats.new(1).root / name).stat().st_blocks * 512 <= 2**21
    kept = {one for one in below(moved["old"], "home") if Path(one).name.encode() not in hostile.NOT_CARRIED}
    assert kept == set(below(moved["new"], "home"))
    for step in ("restore", "lock-old", "save", "prepare-successor"):
        seats.must(step, 1, direction=Direction.UNDO)
    for one in held:
        one.communicate()
    assert changed(before, pictures(seats, 1)) == {"old": [], "new": []}


def test_a_read_only_successor_is_named_and_nothing_is_made_there(seats: Seats) -> None:
    before, new = pictures(seats, 2), seats.new(2)
    new.run("mount", "-o", "remount,ro", "/")
    found = seats.play("prepare-successor", 2)[2]
    new.run("mount", "-o", "remount,rw", "/")
    assert (found.kind, found.cause) == ("failed", "read_only"), found
    seats.must("prepare-successor", 2, direction=Direction.UNDO)
    assert changed(before, pictures(seats, 2)) == {"old": [], "new": []}


def test_a_successor_without_python_fails_before_anything_is_made_there(seats: Seats) -> None:
    before, new = pictures(seats, 2), seats.new(2)
    new.run("mv", "/usr/bin/python3", "/usr/bin/python3.away")
    found = seats.play("preflight", 2)[2]
    new.run("mv", "/usr/bin/python3.away", "/usr/bin/python3")
    assert found.kind == "failed" and "python3" in found.msg, found
    assert changed(before, pictures(seats, 2)) == {"old": [], "new": []}


def test_a_full_old_host_is_named_and_nothing_of_its_files_changes(seats: Seats) -> None:
    before, old = pictures(seats, 2), seats.old(2)
    seats.must("prepare-successor", 2)
    seats.lab.fault(old, "fill")
    found = seats.play("save", 2)[2]
    seats.lab.fault(old, "empty")
    assert found.cause == "disk_full", found
    for step in ("save", "prepare-successor"):
        seats.must(step, 2, direction=Direction.UNDO)
    assert changed(before, pictures(seats, 2)) == {"old": [], "new": []}


def sent_by(host: Host) -> int:
    """Bytes that left a machine since it was raised."""
    rows = subprocess.run(host.inside("cat", "/proc/net/dev"), capture_output=True, check=True, text=True).stdout
    counted = [row.split(":", 1) for row in rows.splitlines() if ":" in row]
    return sum(int(told.split()[8]) for name, told in counted if name.strip() != "lo")


def cut_while(seats: Seats, step: str, host: Host, seen: Callable[[], bool]) -> Outcome:
    """How a step of seat 3 ends whose machine is cut off once something is seen; afterwards the line is whole again."""
    ended: list[Outcome] = []
    playing = threading.Thread(target=lambda: ended.append(seats.play(step, 3)[3]))
    playing.start()
    until(seen, within_s=300, every_s=0.1)
    seats.lab.fault(host, "cut")
    playing.join(timeout=290)
    seats.lab.fault(host, "heal")
    (found,) = ended
    return found


def test_a_line_that_breaks_in_the_midst_of_a_file_is_named_and_what_arrived_is_not_carried_again(seats: Seats) -> None:
    before, old, new = pictures(seats, 3), seats.old(3), seats.new(3)
    seats.must("prepare-successor", 3)
    seats.lab.fault(old, "rate", "100mbit")
    part = seats.shelf(3)
    found = cut_while(
        seats, "save", seats.vault, lambda: any(one.stat().st_size > FILM // 2 for one in part.glob("*.part"))
    )
    assert found.cause == "vault_unreachable", found
    (kept,) = part.glob("*.part")
    had, left = kept.stat().st_size, sent_by(old)
    seats.must("save", 3)
    assert had > FILM // 2 and sent_by(old) - left < (FILM - had) * 1.1 + 4 * 2**20 and not list(part.glob("*.part"))

    seats.must("lock-old", 3)
    seats.lab.fault(seats.vault, "rate", "100mbit")
    note = new.root / f"var/lib/kahn/{part.name}/restored.at"
    found = cut_while(seats, "restore", new, note.exists)
    assert found.cause == "target_unreachable", found
    assert list(new.root.glob("home/*/.kahn-part-*")) and not list(new.root.glob("home/*/Film.mkv"))
    left = sent_by(seats.vault)
    seats.must("restore", 3)
    assert sent_by(seats.vault) - left < (FILM - 128 * 2**20) * 1.1 + 4 * 2**20
    assert not list(new.root.glob("home/*/.kahn-part-*"))
    for step in ("restore", "lock-old", "save", "prepare-successor"):
        seats.must(step, 3, direction=Direction.UNDO)
    assert changed(before, pictures(seats, 3)) == {"old": [], "new": []}
