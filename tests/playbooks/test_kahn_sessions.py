"""Who is logged on: sessions, terminals and programs, by number and since when."""

from __future__ import annotations

import os
import pwd
import struct
import subprocess
import time
from pathlib import Path

import pytest

from tests.playbooks.modules import shared

sessions = shared("kahn_sessions")
RECORD = struct.Struct("<h2xi32s4s32s256shhiii4i20x")
PERSON = 1000
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can make files of other owners")


def a_proc(top: Path, **owners: int) -> str:
    (top / "self").mkdir(parents=True)
    (top / "uptime").write_text("5000.00 1.00\n")
    for pid, owner in owners.items():
        (top / pid.lstrip("p")).mkdir()
        fields = ["S", *["0"] * 18, str(1000 * os.sysconf("SC_CLK_TCK"))]
        (top / pid.lstrip("p") / "stat").write_text(f"{pid.lstrip('p')} (ba) sh) {' '.join(fields)} 0")
        os.chown(top / pid.lstrip("p"), owner, owner)
    return str(top)


def logind(**told: str) -> object:
    """What loginctl answers: the sessions, and of each its properties."""
    rows = "".join(f"{number} {uid} anna seat0 tty2\n" for number, uid in (("4", 1001), ("c1", 0), ("9", 120)))
    known = {"Class": "user", "State": "active", "Remote": "no", "TTY": "tty2", "TimestampMonotonic": "1000000", **told}
    return lambda *words: rows if words[0] == "list-sessions" else "\n".join(f"{k}={v}" for k, v in known.items())


@as_root
def test_programs_of_people_count_with_the_start_of_the_first_but_not_those_of_the_system(tmp_path: Path) -> None:
    proc = a_proc(tmp_path, p1=0, p20=101, p21=1001, p22=65534)
    found = sessions.people(proc, str(tmp_path / "none"), 100_000, lambda *_: "")
    assert found == [{"uid": 1001, "since": 96_000, "on": "program"}]


def test_a_session_is_told_with_its_start_and_where_it_is() -> None:
    (one,) = sessions.sessions(logind())
    assert (one["uid"], one["on"]) == (1001, "tty2")
    started = time.time() - time.clock_gettime(time.CLOCK_MONOTONIC) + 1
    assert abs(one["since"] - started) < 30
    assert sessions.sessions(logind(Remote="yes"))[0]["on"] == "ssh"
    assert sessions.sessions(logind(TTY="\x1b[2J"))[0]["on"] == "desk"


@pytest.mark.parametrize("told", [{"State": "closing"}, {"Class": "manager"}, {"Class": "background"}])
def test_what_is_closing_or_is_no_persons_session_keeps_nobody_waiting(told: dict[str, str]) -> None:
    assert sessions.sessions(logind(**told)) == []


@pytest.mark.parametrize(
    ("uid", "is_one"),
    [(999, False), (1000, True), (59999, True), (61999, False), (65534, False), (70000, True),
     (651_801_103, True), (1_873_401_105, True)],
)  # fmt: skip
def test_accounts_of_a_directory_are_people_too_and_those_of_systemd_are_not(uid: int, is_one: bool) -> None:
    assert sessions.is_person(uid) is is_one


def test_a_terminal_counts_while_its_program_runs_and_rubbish_in_utmp_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = {b"anna": 1001, b"root": 0}
    monkeypatch.setattr(sessions, "_number_of", lambda name: people.get(name))
    proc, utmp = a_proc(tmp_path / "proc"), tmp_path / "utmp"
    (tmp_path / "proc/77").mkdir()
    rows = [(7, 77, b"pts/1", b"anna", 500), (7, 78, b"pts/2", b"anna", 400), (7, 77, b"pts/3", b"root", 300),
            (8, 77, b"pts/4", b"anna", 200), (7, 77, b"\xff", b"gone\xff", 100)]  # fmt: skip
    text = b"".join(
        RECORD.pack(kind, pid, line, b"", name, b"", 0, 0, 0, at, 0, 0, 0, 0, 0) for kind, pid, line, name, at in rows
    )
    utmp.write_bytes(text + b"half a rec")
    assert sessions.terminals(str(utmp), proc) == [{"uid": 1001, "since": 500, "on": "pts/1"}]
    assert sessions.terminals(str(tmp_path / "none"), proc) == []


def test_a_name_that_nobody_has_is_no_account() -> None:
    assert sessions._number_of(b"nobody-of-that-name\xff") is None
    assert sessions._number_of(pwd.getpwuid(0).pw_name.encode()) == 0


def test_the_sentence_names_numbers_and_moments_and_never_a_name() -> None:
    text = sessions.says([{"uid": 1001, "since": 0, "on": "tty2"}] * 6)
    assert "number 1001 since 1970-01-01 00:00 UTC (tty2)" in text and text.endswith("and more.")


@as_root
def test_a_program_that_really_runs_is_told_with_its_real_start() -> None:
    before = time.time()
    with subprocess.Popen(["sleep", "60"], user=PERSON + 345, stdin=subprocess.DEVNULL) as program:
        found = {one["uid"]: one["since"] for one in sessions.programs("/proc", time.time())}
        program.kill()
    assert before - 5 <= found[PERSON + 345] <= time.time() + 5
