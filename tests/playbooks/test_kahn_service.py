"""A service, its jobs and its account on one server."""

from __future__ import annotations

import base64
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.playbooks.modules import cause, shared

service = shared("kahn_service")
ACCOUNT = {"passwd": ["amt", "x", "990", "991", "Amt", "/srv/amt", "/bin/false"], "group": ["amt", "x", "991", ""]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc/cron.d").mkdir(parents=True)
    (tmp_path / "store").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (tmp_path / "etc/shadow").write_text("root:*:1::::::\n")
    (tmp_path / "etc/group").write_text("root:x:0:\n")
    return tmp_path


def commands(place: Path, **changed: list[str]) -> dict[str, Any]:
    flag = place / "flag"
    usual = {"start": ["touch", str(flag)], "stop": ["rm", str(flag)], "running": ["test", "-e", str(flag)]}
    return {"unit": "", **usual, **changed}


def test_a_service_is_started_and_stopped_by_its_commands_and_twice_is_no_harm(root: Path) -> None:
    one = service.Service(commands(root), str(root))
    for act, runs in ((one.start, True), (one.start, True), (one.stop, False), (one.stop, False)):
        act()
        assert one.runs() is runs


def test_a_service_that_does_not_start_or_stop_says_so_with_its_own_words(root: Path) -> None:
    one = service.Service(commands(root, start=["sh", "-c", "echo kaputt; exit 3"]), str(root))
    assert cause(one.start) == "service_not_started"
    (root / "flag").touch()
    assert cause(service.Service(commands(root, stop=["false"]), str(root)).stop) == "service_not_stopped"
    assert service.Service(commands(root, running=["/no/such"]), str(root)).runs() is False


def test_a_started_program_may_go_on_without_holding_anybody_up(root: Path) -> None:
    start = ["sh", "-c", f"touch {root}/flag; sleep 30 & echo $! >{root}/pid"]
    service.Service(commands(root, start=start), str(root)).start()
    os.kill(int((root / "pid").read_text()), 9)


def test_programs_that_have_a_file_open_are_named(root: Path) -> None:
    path = root / "offen.db"
    path.touch()
    assert service.users_of([str(path), str(root / "fehlt")]) == []
    pid = os.fork()
    if pid == 0:
        os.open(path, os.O_RDONLY)
        os.write(os.open(root / "ready", os.O_WRONLY | os.O_CREAT, 0o600), b"!")
        signal.pause()
        os._exit(0)
    try:
        while not (root / "ready").exists() or not (root / "ready").stat().st_size:
            pass
        assert any(f"({pid})" in one for one in service.users_of([str(path)]))
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def test_jobs_travel_held_back_and_are_let_go(root: Path) -> None:
    job, there = root / "etc/cron.d/amt", root / "there"
    (there / "etc/cron.d").mkdir(parents=True)
    job.write_text("* * * * * amt true\n")
    service.jobs_held(str(root), ["/etc/cron.d/amt"], True)
    assert not job.exists() and (root / "etc/cron.d/amt.kahn-held").exists()
    jobs = service.jobs_read(str(root), ["/etc/cron.d/amt"])
    service.jobs_bring(str(there), jobs, ["/etc/cron.d/amt"])
    service.jobs_held(str(there), ["/etc/cron.d/amt"], False)
    assert (there / "etc/cron.d/amt").read_text() == "* * * * * amt true\n"
    strange = [{"path": "/etc/cron.d/evil", "mode": 0o4755, "text": base64.b64encode(b"x").decode()}]
    assert cause(service.jobs_bring, str(there), strange, ["/etc/cron.d/amt"]) == "parcel_damaged"
    assert cause(service.jobs_read, str(root), ["/etc/cron.d/none"]) == "job_missing"


def test_the_account_is_made_with_its_numbers_without_a_password_and_taken_away_exactly(root: Path) -> None:
    before = {name: (root / "etc" / name).read_text() for name in ("passwd", "shadow", "group")}
    assert service.account_make(ACCOUNT, str(root), str(root / "store"))
    assert not service.account_make(ACCOUNT, str(root), str(root / "store"))
    assert (root / "etc/shadow").read_text().splitlines()[1] == "amt:!:::::::"
    assert service.account_read("amt", str(root))["passwd"][2:4] == ["990", "991"]
    service.account_unmake(str(root), str(root / "store"))
    assert {name: (root / "etc" / name).read_text() for name in before} == before
    assert service.note_of(str(root / "store")) == {}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"passwd": ["amt", "x", "0", "991", "", "/", "/bin/sh"]}, "accounts_invalid"),
        ({"passwd": ["amt", "x", "990", "991", "a\nroot::0:0", "/", "/bin/sh"]}, "accounts_invalid"),
        ({"passwd": ["a:b", "x", "990", "991", "", "/", "/bin/sh"]}, "accounts_invalid"),
        ({"passwd": ["root", "x", "990", "991", "", "/", "/bin/sh"]}, "accounts_differ"),
        ({"passwd": [], "group": []}, "accounts_invalid"),
    ],
)
def test_an_account_that_would_open_the_machine_is_refused(root: Path, wrong: dict[str, Any], told: str) -> None:
    before = (root / "etc/passwd").read_text()
    assert cause(service.account_make, {**ACCOUNT, **wrong}, str(root), str(root / "store")) == told
    assert (root / "etc/passwd").read_text() == before


def test_an_account_that_was_there_before_stays(root: Path) -> None:
    for name, line in (("passwd", ":".join(ACCOUNT["passwd"])), ("group", "amt:x:991:")):
        with (root / "etc" / name).open("a") as opened:
            opened.write(line + "\n")
    assert not service.account_make(ACCOUNT, str(root), str(root / "store"))
    service.account_unmake(str(root), str(root / "store"))
    assert "amt:" in (root / "etc/passwd").read_text()
