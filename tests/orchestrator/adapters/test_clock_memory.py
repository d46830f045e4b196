"""What was remembered of clocks when nobody drove."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.adapters.clock_memory import NAME, ClockMemory

NOW = datetime(2026, 12, 1, 21, 0, tzinfo=UTC)


def test_the_next_driver_knows_what_the_wall_showed_and_how_long_ago_that_was(tmp_path: Path) -> None:
    ClockMemory(tmp_path).keep(NOW)
    told = json.loads((tmp_path / NAME).read_text())
    (tmp_path / NAME).write_text(json.dumps(told | {"since_boot_s": told["since_boot_s"] - 3_600}))
    found = ClockMemory(tmp_path).recall(steady=10_000.0)
    assert found is not None and found[0] == NOW
    assert 3_600 <= 10_000.0 - found[1] < 3_600 + 300


def test_it_is_written_now_and_then_only(tmp_path: Path) -> None:
    memory = ClockMemory(tmp_path)
    memory.keep(NOW)
    memory.keep(NOW + timedelta(seconds=1))
    found = memory.recall(steady=time.monotonic())
    assert found is not None and found[0] == NOW


@pytest.mark.parametrize(
    "change",
    [{"boot": "another"}, {"wall": "2026-12-01T21:00"}, {"wall": 7}, {"since_boot_s": 1e12}, {"since_boot_s": []}],
)
def test_another_boot_and_what_cannot_be_read_count_for_nothing(tmp_path: Path, change: dict[str, object]) -> None:
    memory = ClockMemory(tmp_path)
    assert memory.recall(steady=0.0) is None
    memory.keep(NOW)
    told = json.loads((tmp_path / NAME).read_text())
    (tmp_path / NAME).write_text(json.dumps(told | change))
    assert memory.recall(steady=0.0) is None
    (tmp_path / NAME).write_bytes(b"\xff{")
    assert memory.recall(steady=0.0) is None


def test_a_state_directory_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    gone = ClockMemory(tmp_path / "gone")
    gone.keep(NOW)
    assert gone.recall(steady=0.0) is None
