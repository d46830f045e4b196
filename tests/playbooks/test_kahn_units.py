"""Units: the order in which they are held back, and what differs."""

from __future__ import annotations

from pathlib import Path

from tests.playbooks.modules import shared

units = shared("kahn_units")


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
