"""Units: the order in which they are held back, and what differs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.playbooks.modules import shared

units = shared("kahn_units")
STANDS = """case "$*" in
*list-unit-files*) echo postgresql.service enabled enabled;;
*list-units*) echo postgresql.service loaded active exited; echo postgresql@15-main.service loaded active running;;
"is-enabled postgresql@15-main.service") echo enabled-runtime;;
is-enabled*) echo enabled;;
esac
"""


def test_where_systemd_does_not_run_nothing_is_carried(tmp_path: Path) -> None:
    assert units.carried(str(tmp_path)) == {} and not units.is_systemd(str(tmp_path))
    units.hold_back([], str(tmp_path))
    units.let_go({}, str(tmp_path))
    assert units.differing({}, str(tmp_path)) == []


def test_what_starts_others_stops_first() -> None:
    assert units._in_order(["b.service", "a.socket", "c.timer", "a.service", "d.path"]) == [
        "c.timer",
        "d.path",
        "a.socket",
        "a.service",
        "b.service",
    ]


def test_a_unit_that_does_not_stand_as_wanted_is_named(tmp_path: Path) -> None:
    wanted = {"kahn-nobody-has-this.service": {"enabled": False, "active": True}}
    assert units.differing(wanted, str(tmp_path)) == ["kahn-nobody-has-this.service no longer runs"]


def test_what_a_generator_pulls_in_runs_and_is_no_switch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's clusters: `systemctl is-enabled` says enabled-runtime, and ends with 0."""
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    program = tmp_path / "systemctl"
    program.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/said\n{STANDS}')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    cluster, master = "postgresql@15-main.service", "postgresql.service"
    wanted = {cluster: {"enabled": False, "active": True}, master: {"enabled": True, "active": True}}
    assert units.carried(str(tmp_path)) == wanted == units.states([cluster, master], str(tmp_path))
    units.let_go(wanted, str(tmp_path))
    assert units.differing(wanted, str(tmp_path)) == []
    said = (tmp_path / "said").read_text()
    assert "enable " not in said.replace("is-enabled", "") and "disable" not in said
