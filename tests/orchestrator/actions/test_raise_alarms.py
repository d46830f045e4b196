"""Alarms of the clock become one entry and one notice each, raised by the driver."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from orchestrator.core.notices import NoticeKind
from orchestrator.core.runbook import Direction
from tests.copied_towns import a_town
from tests.towns import STADT, Town

OF_THE_CLOCK = (NoticeKind.OUTAGE, NoticeKind.LAST_MOMENT, NoticeKind.NOT_STARTING)


def raised(town: Town) -> list[NoticeKind]:
    with town.store.reading() as books:
        alarms = [one.entry for one in books.journal.read(STADT, subject="wave:W01") if one.entry.kind == "wave.alarm"]
        kinds = [one.kind for one in books.notices.of_wave(STADT, "W01", 1)]
    assert [alarm.body["alarm"] for alarm in alarms] == [kind for kind in kinds if kind in OF_THE_CLOCK]
    return kinds


def test_a_wave_whose_gate_is_closed_at_its_hour_calls_somebody_once(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    driver = town.driver(tree_there=lambda _runbook: False)
    driver.tick(appointments=True)  # schedules it
    for _ in range(5):
        town.clock.moment += timedelta(minutes=2)
        driver.tick(appointments=True)
    assert raised(town) == [NoticeKind.NOT_STARTING]
    with town.store.reading() as books:
        assert books.notices.all(STADT)[0].cause == "runbook"


def test_an_asset_that_stays_out_of_service_calls_somebody_before_it_is_too_late(tmp_path: Path) -> None:
    def silent(asset: str, step: str, direction: Direction) -> str:
        return "unreachable" if (asset, step) == ("apc-001-id", "switch") or direction is Direction.PROBE else ""

    town = a_town(tmp_path, "started", fault=silent)
    driver = town.driver()
    for _ in range(60):
        driver.tick()
        town.clock.moment += timedelta(minutes=4)
    assert raised(town).count(NoticeKind.OUTAGE) == 1
    assert raised(town).count(NoticeKind.LAST_MOMENT) == 1
