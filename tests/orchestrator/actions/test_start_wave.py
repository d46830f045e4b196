"""Starting a wave, by hand or at its hour."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from inventory.changes import ChangeSet
from inventory.errors import ExpectedError
from inventory.model import AssetId, Dependency, DependencyKind
from orchestrator.actions.start_wave import check_wave, claim_wave, keep_appointments, start_by
from orchestrator.adapters.store import DatabaseStore
from orchestrator.core.lifecycle import WaveState
from orchestrator.core.policy import Freeze
from orchestrator.core.ready import NotReady
from tests.copied_towns import a_town
from tests.orchestrator.actions.test_store_plan import two_waves
from tests.towns import STADT, Town


def keep(town: Town) -> WaveState:
    with town.outside().desk() as desk:
        wave = desk.books.waves.get(STADT, "W01")
        return keep_appointments(desk, wave, tree_there=lambda _runbook: True).state


def latest_start(town: Town) -> datetime:
    with town.outside().look() as desk:
        return start_by(desk, desk.books.waves.get(STADT, "W01"))


def journal_length(town: Town) -> int:
    with town.store.reading() as books:
        return len(books.journal.read(STADT))


def test_asking_ahead_of_time_touches_nothing(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    before = (town.wave()[0], journal_length(town))
    with town.outside().look() as desk:
        lines = check_wave(desk, desk.books.waves.get(STADT, "W01"), tree_there=lambda _runbook: True)
    assert {line.gate for line in lines if line.verdict != "ok"} == {"time"}, "nobody has measured its steps yet"
    assert {line.verdict for line in lines} == {"ok", "unknown"}
    assert (town.wave()[0], journal_length(town)) == before


@pytest.mark.parametrize("hours", [-1, 5])
def test_outside_its_window_a_wave_does_not_start(tmp_path: Path, hours: int) -> None:
    town = a_town(tmp_path, "approved")
    town.clock.moment += timedelta(hours=hours)
    with pytest.raises(NotReady, match=r"opens|closed"):
        town.start()
    assert town.wave()[0].state is WaveState.APPROVED


def test_a_tree_that_was_changed_on_disk_stops_the_start(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    with pytest.raises(NotReady, match="missing or was changed on disk"), town.outside().desk() as desk:
        claim_wave(desk, desk.books.waves.get(STADT, "W01"), tree_there=lambda _runbook: False)


def test_a_replaced_access_profile_stops_the_start(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    with town.store.transaction() as books:
        (profile,) = books.tenants.access(STADT)
        books.tenants.put_access(STADT, replace(profile, user="migration"))
    with pytest.raises(NotReady, match="changed since the proposal: lab"):
        town.start()


def test_of_many_who_start_a_wave_at_once_exactly_one_succeeds(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    results: list[str] = []

    def start() -> None:
        other = DatabaseStore.open(f"sqlite:///{tmp_path}/kahn.sqlite")
        try:
            with town.outside(store=other).desk() as desk:
                claim_wave(desk, desk.books.waves.get(STADT, "W01"), tree_there=lambda _runbook: True)
            results.append("started")
        except ExpectedError as error:
            results.append(error.code)
        finally:
            other.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["RUN-002", "RUN-002", "RUN-002", "started"]


def test_an_approved_wave_is_scheduled_and_starts_by_itself_at_its_hour(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    opens = town.wave()[0].content.window.opens
    town.clock.moment = opens - timedelta(hours=1)
    assert [keep(town), keep(town)] == [WaveState.SCHEDULED, WaveState.SCHEDULED]
    town.clock.moment = opens
    assert [keep(town), keep(town)] == [WaveState.RUNNING, WaveState.RUNNING]


def test_a_wave_whose_window_passed_is_missed_and_never_caught_up(tmp_path: Path) -> None:
    for folder, late in (("1", timedelta(0)), ("2", timedelta(days=3))):
        town = a_town(tmp_path / folder, "approved")
        if folder == "2":
            keep(town)
        town.clock.moment = town.wave()[0].content.window.closes + late
        assert [keep(town), keep(town)] == [WaveState.MISSED, WaveState.MISSED]
        with pytest.raises(NotReady, match="closed"):
            town.start()


def test_a_start_so_late_that_nothing_could_go_back_in_time_is_missed_and_touches_nothing(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    keep(town)
    last = latest_start(town)
    assert town.wave()[0].content.window.opens < last < town.wave()[0].content.window.closes
    town.clock.moment = last + timedelta(seconds=1)
    assert [keep(town), keep(town)] == [WaveState.MISSED, WaveState.MISSED]
    assert town.wave()[0].cause == "started_too_late" and set(town.states().values()) == {"planned"}


def test_a_start_that_is_late_but_fits_is_made(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    keep(town)
    town.clock.moment = latest_start(town)
    assert keep(town) is WaveState.RUNNING


def test_an_approval_that_expires_before_the_hour_sends_the_wave_back_to_the_approver(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    keep(town)
    with town.store.transaction() as books:
        books.tenants.set_policy(STADT, replace(books.tenants.policy(STADT), approval_valid_h=1))
    town.clock.moment += timedelta(hours=1)
    assert keep(town) is WaveState.PROPOSED
    town.approve()
    assert [keep(town), keep(town)] == [WaveState.SCHEDULED, WaveState.RUNNING]


def test_a_gate_that_blocks_at_the_hour_leaves_the_wave_waiting_within_its_window(tmp_path: Path) -> None:
    town = a_town(tmp_path, "approved")
    with town.store.transaction() as books:
        policy = books.tenants.policy(STADT)
        day = town.clock.now().date()
        freeze = Freeze(name="audit", first=day, last=day)
        books.tenants.set_policy(STADT, replace(policy, freezes=(freeze,)))
    assert keep(town) is WaveState.SCHEDULED
    with pytest.raises(NotReady, match="audit"):
        keep(town)
    with town.store.transaction() as books:
        books.tenants.set_policy(STADT, policy)
    assert keep(town) is WaveState.RUNNING


def test_an_asset_stays_behind_while_what_it_needs_is_in_doubt_in_another_wave(tmp_path: Path) -> None:
    town = a_town(tmp_path)
    two_waves(town)
    for key in ("W01", "W02"):
        town.approve(wave=key)
    town.start()
    town.driver().tick()
    assert town.states()["apc-001"] == "running"

    def needs() -> tuple[str, tuple[AssetId, ...]]:
        with town.outside().look() as desk:
            lines = check_wave(desk, desk.books.waves.get(STADT, "W02"), tree_there=lambda _runbook: True)
        (line,) = [one for one in lines if one.gate == "needs"]
        return line.verdict, line.assets

    assert needs() == ("ok", ())
    wants = Dependency(tenant=STADT, asset=AssetId("apc-002-id"), needs=AssetId("apc-001-id"), kind=DependencyKind.HARD)
    with town.store.transaction() as books:
        books.assets.apply(ChangeSet(tenant=STADT, dependencies=(wants,)))
    assert needs() == ("held", (AssetId("apc-002-id"),))
    town.drive()
    assert town.states()["apc-001"] == "moved" and needs() == ("ok", ())
