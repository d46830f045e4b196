"""A desk: one open transaction."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.errors import ExpectedError
from orchestrator.actions.record import write_down
from tests.copied_towns import a_town
from tests.towns import STADT, Town


def entries(town: Town) -> int:
    with town.store.reading() as books:
        return len(books.journal.read(STADT))


def test_what_is_written_at_a_desk_is_kept_only_when_it_is_left_normally(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    before = entries(town)
    with pytest.raises(KeyError, match="stop"), town.outside().desk() as desk:
        write_down(desk, desk.books.waves.get(STADT, "W01"), "note.written", {})
        raise KeyError("stop")
    assert entries(town) == before
    with town.outside().desk() as desk:
        write_down(desk, desk.books.waves.get(STADT, "W01"), "note.written", {})
    assert entries(town) == before + 1


def test_everything_at_one_desk_happens_at_one_time(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    with town.outside().desk() as desk:
        town.clock.moment = town.clock.moment.replace(year=2030)
        assert desk.now.year == 2026


def test_whoever_only_looks_cannot_write(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    with pytest.raises(ExpectedError), town.outside().look() as desk:
        write_down(desk, desk.books.waves.get(STADT, "W01"), "note.written", {})
