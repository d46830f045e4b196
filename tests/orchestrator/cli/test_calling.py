"""Calling people beside a driver."""

from __future__ import annotations

import time
from pathlib import Path

from inventory.errors import ExpectedError
from orchestrator.cli import calling as calls
from orchestrator.cli.drive import drive_until_rest
from orchestrator.settings import CONTACTS_NAME
from tests.orchestrator.actions.test_call_people import never_taken_back
from tests.orchestrator.cli.test_notice import FILE, a_desk
from tests.town_terminals import a_terminal


def test_a_terminal_that_drives_a_wave_into_a_halt_calls_before_it_goes(tmp_path: Path) -> None:
    context, _town = a_terminal(tmp_path, "started", fault=never_taken_back)
    program = tmp_path / "page"
    program.write_text(f"#!/bin/sh\ncat >> {tmp_path}/got\n")
    program.chmod(0o755)
    (tmp_path / CONTACTS_NAME).write_text(FILE.format(program=program))
    assert drive_until_rest(context, "W01") == 4
    assert "BRAUCHEN EINEN MENSCHEN" in (tmp_path / "got").read_text()


def test_a_channel_that_never_ends_keeps_no_terminal_for_ever(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(calls, "LAST_CALLS_S", 0.5)
    context = a_desk(tmp_path, script="sleep 60")
    begun = time.monotonic()
    with calls.calling(context.world, tell=lambda _error: None):
        pass
    assert time.monotonic() - begun < 25


def test_a_broken_file_of_contacts_is_told_and_stops_nothing(tmp_path: Path) -> None:
    context = a_desk(tmp_path)
    (tmp_path / CONTACTS_NAME).write_text("[[channel")
    told: list[ExpectedError] = []
    with calls.calling(context.world, tell=told.append):
        pass
    assert [error.code for error in told] == ["NOTE-001"]
