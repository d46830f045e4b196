"""The machine's settings come back with the last lab that needed them. The ledger stands in a temporary place here."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.lab import kernel, ledger
from orchestrator.lab.names import LabNames


@pytest.fixture
def limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    setting = tmp_path / "max_user_instances"
    setting.write_text("128\n")
    monkeypatch.setattr(ledger, "INOTIFY", setting)
    monkeypatch.setattr(ledger, "PLACE", tmp_path / "ledger")
    monkeypatch.setattr(kernel, "NETNS_DIRECTORY", tmp_path / "netns")
    return setting


def a_lab(place: Path) -> LabNames:
    place.mkdir()
    (place / "lab.json").write_text("{}")
    return LabNames(directory=place)


def test_the_last_of_two_labs_restores_the_limit(tmp_path: Path, limit: Path) -> None:
    one, other = a_lab(tmp_path / "one"), a_lab(tmp_path / "other")
    for names in (one, other):
        ledger.join(names)
    assert ledger.raise_inotify_limit(one) == 128
    assert ledger.raise_inotify_limit(other) == 0
    ledger.leave(one)
    assert limit.read_text() == str(ledger.INOTIFY_WANTED)
    ledger.leave(other)
    assert limit.read_text() == "128"
    assert not ledger.PLACE.exists()


def test_a_limit_changed_by_somebody_else_meanwhile_stays(tmp_path: Path, limit: Path) -> None:
    one = a_lab(tmp_path / "one")
    ledger.join(one)
    ledger.raise_inotify_limit(one)
    limit.write_text("5000")
    ledger.leave(one)
    assert limit.read_text() == "5000"


def test_a_lab_whose_directory_vanished_does_not_keep_the_limit_raised(tmp_path: Path, limit: Path) -> None:
    one, lost = a_lab(tmp_path / "one"), a_lab(tmp_path / "lost")
    for names in (one, lost):
        ledger.join(names)
        ledger.raise_inotify_limit(names)
    (tmp_path / "lost/lab.json").unlink()
    ledger.leave(one)
    assert limit.read_text() == "128"


def test_a_limit_that_is_high_enough_is_left_alone(tmp_path: Path, limit: Path) -> None:
    limit.write_text("100000")
    one = a_lab(tmp_path / "one")
    ledger.join(one)
    assert ledger.raise_inotify_limit(one) == 0
    ledger.leave(one)
    assert limit.read_text() == "100000"
