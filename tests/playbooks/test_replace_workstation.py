"""replace-workstation on real hosts: forward, every undo, every step twice, hostile files, and what goes wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orchestrator.core.outcome import Outcome
from orchestrator.core.runbook import Direction
from orchestrator.lab.lab import Lab
from orchestrator.lab.seed import seed_user_files
from tests.labs import lab
from tests.playbooks import hostile
from tests.playbooks.seats import Picture, Seats, below, picture, unlike
from tests.playbooks.test_kahn_printers import FLUR
from tests.playbooks.test_kahn_shares import CIFS, SECRET

__all__ = ["lab"]
pytestmark = pytest.mark.lab
BEFORE_RESTORE = ("preflight", "prepare-successor", "save", "lock-old")


@pytest.fixture(scope="module")
def seats(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seats]:
    """Seat 1 is ordinary, seat 2 hostile, the rest are for one fault each."""
    made = Seats(lab, tenant="tausch", count=7, state=tmp_path_factory.mktemp("state"))
    for seat in range(1, 8):
        people = seed_user_files(made.old(seat), seed=seat, files=12, users=2)
        if seat == 2:
            hostile.fill(made.old(2).root / people[0].home.lstrip("/"), uid=people[0].uid)
        if seat == 1:
            equip(made, 1, people[0].name)
    yield made


def equip(seats: Seats, seat: int, user: str) -> None:
    """A printer, a share and a user's scheduled job on the old host; CUPS' and cron's directories on both."""
    for root in (seats.old(seat).root, seats.new(seat).root):
        (root / "etc/cups").mkdir()
        (root / "var/spool/cron/crontabs").mkdir(parents=True)
    old = seats.old(seat).root
    (old / "etc/cups/printers.conf").write_text(FLUR)
    (old / "root/.smb").write_text(SECRET)
    fstab = old / "etc/fstab"
    fstab.write_text((fstab.read_text() if fstab.exists() else "") + CIFS)
    (old / "var/spool/cron/crontabs" / user).write_text("0 7 * * 1 true\n")


def someones_file(seats: Seats, seat: int) -> str:
    """The path of an ordinary document in some home directory."""
    root = seats.old(seat).root
    found = sorted(one for one in root.glob("home/*/Dokumente/*") if one.is_file() and not one.is_symlink())
    return next(str(one.relative_to(root)) for one in found if one.stat().st_size > 2 and one.name.isprintable())


@dataclass
class Way:
    """What was seen on the way forward and back of seats 1 and 2."""

    before: dict[str, Picture]
    taken: dict[int, Outcome]
    not_undone: list[str] = field(default_factory=list)
    not_repeatable: list[str] = field(default_factory=list)
    moved: dict[str, Picture] = field(default_factory=dict)
    after: dict[str, Picture] = field(default_factory=dict)
    running: list[bool] = field(default_factory=list)
    probes: list[dict[int, Outcome]] = field(default_factory=list)
    compared: dict[int, Outcome] = field(default_factory=dict)
    restored: dict[int, Outcome] = field(default_factory=dict)


@pytest.fixture(scope="module")
def way(seats: Seats) -> Way:
    """Forward with each step done, undone and done twice; then the old hosts off, and all the way back."""
    way = Way(before=pictures(seats), taken=seats.must("", 1, 2, direction=Direction.BASELINE))
    for step in seats.runbook.steps[:-1]:
        before = pictures(seats)
        played = seats.must(step.name, 1, 2)
        if step.name == "restore":
            way.restored = played
        once = pictures(seats)
        if step.undo:
            seats.must(step.name, 1, 2, direction=Direction.UNDO)
            way.not_undone += changes(step.name, before, pictures(seats))
            seats.must(step.name, 1, 2, times=2)
            way.not_repeatable += changes(step.name + " twice", once, pictures(seats))
    way.moved = pictures(seats)
    seats.must("switch-off-old", 1, 2)
    way.running = [seats.old(seat).running for seat in (1, 2)]
    way.probes.append(seats.play("switch-off-old", 1, 2, direction=Direction.PROBE))
    for step in reversed(seats.runbook.steps):
        if step.undo:
            seats.must(step.name, 1, 2, direction=Direction.UNDO)
            if step.name == "switch-off-old":
                way.probes.append(seats.play("switch-off-old", 1, 2, direction=Direction.PROBE))
    way.compared = seats.must("", 1, 2, direction=Direction.COMPARE)
    way.after = pictures(seats)
    return way


def pictures(seats: Seats) -> dict[str, Picture]:
    found = {f"old {seat}": picture(seats.old(seat), all_times=True) for seat in (1, 2)}
    found |= {f"new {seat}": picture(seats.new(seat)) for seat in (1, 2)}
    return found | {"vault": {path: one for path, one in picture(seats.vault).items() if path != "srv/kahn-vault"}}


def changes(step: str, one: dict[str, Picture], other: dict[str, Picture]) -> list[str]:
    # The lock is written anew, the seal names its run, tar puts its process number beside files with holes.
    own = ("etc/nologin", "/seal", ".tar") if " twice" in step else ()
    return [
        f"{step}: {host}: {path}" for host in one for path in unlike(one[host], other[host]) if not path.endswith(own)
    ]


def test_every_undo_gives_back_what_was_before(way: Way) -> None:
    assert way.not_undone == []


def test_every_step_can_be_played_again_with_the_same_result(way: Way) -> None:
    assert way.not_repeatable == []


def test_the_successor_has_the_seats_printers_shares_and_scheduled_jobs(way: Way) -> None:
    old, new = way.moved["old 1"], way.moved["new 1"]
    assert {"etc/cups/printers.conf", "etc/fstab"} < new.keys()
    assert len([path for path in new if path.startswith("etc/kahn-shares/")]) == 1
    jobs = {path for path in old if path.startswith("var/spool/cron/crontabs/")}
    assert jobs == {path for path in new if path.startswith("var/spool/cron/crontabs/")} and len(jobs) == 1
    assert all(old[path][5] == new[path][5] and int(str(new[path][1])) >= 1001 for path in jobs)


def test_what_people_must_still_set_up_stands_in_the_record(way: Way) -> None:
    report = way.restored[1].evidence["kahn"]
    assert (report["printers"], report["shares"], report["jobs"]) == (1, 1, 1)
    assert any("the successor lacks mount.cifs" in one for one in report["left"])


@pytest.mark.parametrize("seat", [1, 2])
def test_the_successor_holds_the_users_files(way: Way, seat: int) -> None:
    old, new = below(way.moved[f"old {seat}"], "home"), below(way.moved[f"new {seat}"], "home")
    left = {name for name in old if Path(name).name.encode() in hostile.NOT_CARRIED}
    shells = {name for name in old if name.endswith("/root-shell")}
    assert {name: one for name, one in old.items() if name not in left | shells} == {
        name: one for name, one in new.items() if name not in shells
    }
    assert all(int(str(new[name][0])) & 0o6000 == 0 for name in shells)
    assert (len(left), len(shells)) == ((3, 1) if seat == 2 else (0, 0))


def test_the_old_hosts_are_off_and_the_probe_knows(way: Way) -> None:
    assert way.running == [False, False]
    answers = [[one.evidence["kahn"]["answer"] for one in probe.values()] for probe in way.probes]
    assert answers == [["done", "done"], ["not_done", "not_done"]]


def test_after_the_whole_way_back_every_host_is_as_before(way: Way) -> None:
    assert {host: unlike(shot, way.after[host]) for host, shot in way.before.items()} == {
        host: [] for host in way.before
    }


def test_the_comparison_proves_it_with_the_digest_from_before(way: Way) -> None:
    for seat in (1, 2):
        digest = way.taken[seat].evidence["kahn"]["baseline"]
        told = way.compared[seat].evidence["kahn"]
        assert (told["baseline"], told["now"], told["equal"]) == (digest, digest, True)


def test_hostile_names_ran_nothing_anywhere(seats: Seats, way: Way) -> None:
    assert not list(seats.state.rglob("kahn-was-here")) and not Path("kahn-was-here").exists()
    for host in (seats.old(2), seats.new(2), seats.vault):
        assert host.run("find", "/", "-xdev", "-name", "kahn-was-here", "-not", "-path", "/proc/*") == ""


def test_unfit_seats_are_told_apart_before_anything_is_touched(seats: Seats) -> None:
    """3: somebody works there; 4: no room; 5: the successor has files of that name; 6: another account."""
    old3, new4, new5, new6 = seats.old(3), seats.new(4), seats.new(5), seats.new(6)
    name = next(seats.old(5).root.glob("home/*")).name
    (new5.root / "home" / name).mkdir()
    old3.run("sh", "-c", "setsid setpriv --reuid 1001 --clear-groups sleep 600 </dev/null >/dev/null 2>&1 &")
    seats.lab.fault(new4, "fill")
    (new6.root / "etc/passwd").open("a").write("fremd:x:1001:1001::/home/fremd:/bin/sh\n")
    found = seats.play("preflight", 3, 4, 5, 6)
    causes = {seat: one.cause for seat, one in found.items()}
    assert causes == {3: "source_busy", 4: "not_enough_space", 5: "target_not_empty", 6: ""}
    assert [one["uid"] for one in found[3].evidence["kahn"]["people"]] == [1001] and "number 1001 since" in found[3].msg
    assert seats.play("prepare-successor", 6)[6].cause == "accounts_differ"
    seats.lab.fault(new4, "empty")
    assert seats.play("lock-old", 3)[3].cause == "source_busy"
    assert not (old3.root / "etc/nologin").exists() and "1001" in old3.run("ps", "-eo", "uid")
    old3.run("sh", "-c", "pkill -u 1001 sleep")
    (new5.root / "home" / name).rmdir()


@dataclass
class Faults:
    """How three seats ended, and the paths in question."""

    restored: dict[int, Outcome]
    compared: Outcome
    late: Path


@pytest.fixture(scope="module")
def faults(seats: Seats) -> Faults:
    """Seat 3: the successor's disk fills up; 4: a restored file is spoiled; 5: the old host writes after the lock."""
    for step in BEFORE_RESTORE:
        seats.must(step, 3, 4, 5)
    spoiled, late = "/" + someones_file(seats, 4), seats.old(5).root / someones_file(seats, 5)
    seats.lab.fault(seats.new(3), "fill")
    spoil = 'until [ -e /run/enough ]; do [ -s "$1" ] && echo x >>"$1"; sleep 0.1; done'
    seats.new(4).run("sh", "-c", 'setsid sh -c "$0" sh "$1" </dev/null >/dev/null 2>&1 &', spoil, spoiled)
    restored = seats.play("restore", 3, 4, 5)
    with late.open("a") as opened:
        opened.write("later")
    (seats.new(4).root / "run/enough").touch()
    return Faults(restored=restored, compared=seats.play("compare", 5)[5], late=late)


def test_each_fault_gets_its_own_cause_and_names_the_file(faults: Faults) -> None:
    assert {seat: one.cause for seat, one in faults.restored.items()} == {3: "disk_full", 4: "manifest_differs", 5: ""}
    told = faults.compared.evidence["kahn"]
    assert (faults.compared.cause, told["side"], told["difference_count"]) == ("manifest_differs", "source", 1)
    assert told["differences"] == [f"{faults.late.parents[1].name}/Dokumente/{faults.late.name}: content, time, size"]


def test_a_spoiled_restore_is_taken_back_and_what_was_changed_is_kept(seats: Seats, faults: Faults) -> None:
    seats.lab.fault(seats.new(3), "empty")
    found = seats.undo("restore", 3, 4)
    assert {seat: one.kind for seat, one in found.items()} == {3: "done", 4: "done"}
    assert found[4].evidence["kahn"]["kept"]
    kept = os.listdir(seats.new(4).root / "home/.kahn-kept" / "seat-0004")
    assert len(kept) == 1 and os.listdir(seats.new(3).root / "home") == []


def test_a_file_of_somebody_else_on_the_successor_stops_the_undo_before_it_touches_anything(
    seats: Seats, faults: Faults
) -> None:
    home = next((seats.new(5).root / "home").glob("*"))
    (home / "eigenes.txt").write_text("mine")
    before = picture(seats.new(5))
    found = seats.undo("restore", 5)[5]
    assert found.cause == "foreign_files" and "eigenes.txt" in found.evidence["kahn"]["names"][0]
    assert picture(seats.new(5)) == before
    (home / "eigenes.txt").unlink()
    assert seats.undo("restore", 5)[5].kind == "done"


def test_a_vault_that_lost_a_byte_is_found_out(seats: Seats) -> None:
    for step in BEFORE_RESTORE[:3]:
        seats.must(step, 7)
    archive = next(seats.shelf(7).glob("*.tar"))
    with archive.open("r+b") as opened:
        opened.seek(archive.stat().st_size // 2)
        opened.write(b"\x01\x02\x03")
    assert seats.play("restore", 7)[7].cause in ("archive_damaged", "manifest_differs")
    for step in ("restore", "save", "prepare-successor"):
        seats.must(step, 7, direction=Direction.UNDO)


def test_a_successor_that_is_cut_off_is_named_and_the_old_host_is_untouched(seats: Seats) -> None:
    before = picture(seats.old(7))
    seats.lab.fault(seats.new(7), "refuse")
    found = seats.play("preflight", 7)[7]
    seats.lab.fault(seats.new(7), "heal")
    assert found.kind != "done" and picture(seats.old(7)) == before
